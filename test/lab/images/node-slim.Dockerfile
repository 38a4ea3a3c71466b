# A stand-in for node:24-slim, of which a build needs `node` and `npm` only.
ARG DEBIAN
FROM $DEBIAN
COPY node /usr/local/bin/
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
# A sandbox may have a certificate authority of its own between itself and the registry.
COPY ca-certificates.crt /etc/ssl/certs/
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
