# A stand-in for gcr.io/distroless/nodejs24-debian12:nonroot: the same packages, user and places, and no shell.
ARG DEBIAN
ARG BARE_DEBIAN
FROM $DEBIAN AS etc
RUN printf '%s\n' root:x:0:0:root:/root:/sbin/nologin nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin > /passwd \
    && printf '%s\n' root:x:0: nonroot:x:65532: > /group
FROM $BARE_DEBIAN
COPY --from=etc /passwd /group /etc/
COPY node /nodejs/bin/
WORKDIR /home/nonroot
USER 65532
ENTRYPOINT ["/nodejs/bin/node"]
