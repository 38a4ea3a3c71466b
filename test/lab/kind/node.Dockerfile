# kindest/node without an image registry: what kind's images/base/Dockerfile and `kind build node-image` do, out of
# Debian's packages and of binaries that the lab has built. ../kind-node-image.ts fills the context.
ARG DEBIAN
FROM $DEBIAN AS node
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
COPY files/ /
COPY containerd containerd-shim-runc-v2 ctr /usr/local/bin/
COPY kubeadm kubelet kubectl /usr/bin/
COPY bridge.conflist /etc/cni/net.d/10-bridge.conflist

# Go's module cache has everything read-only and nothing executable.
RUN chmod -R u=rwX,go=rX /kind /etc/containerd /etc/crictl.yaml /etc/default /etc/sysctl.d /etc/systemd /usr/local/bin \
    && chmod 755 /usr/local/bin/* /kind/bin/*

RUN find /lib/systemd/system/sysinit.target.wants -name systemd-tmpfiles-setup.service -delete \
    && rm -f /lib/systemd/system/multi-user.target.wants/* /etc/systemd/system/*.wants/* \
      /lib/systemd/system/local-fs.target.wants/* /lib/systemd/system/basic.target.wants/* \
      /lib/systemd/system/sockets.target.wants/*udev* /lib/systemd/system/sockets.target.wants/*initctl* \
    && echo ReadKMsg=no >> /etc/systemd/journald.conf \
    && systemctl enable kubelet.service containerd.service undo-mount-hacks.service \
    && systemctl mask systemd-binfmt.service

# Unlike kind's own image: Debian's runc and CNI plugins (a bridge instead of kindnetd), no storage provisioner, and no
# need for CAP_SYS_RESOURCE.
RUN printf %s "$(kubeadm version --output short)" > /kind/version \
    && mkdir -p /etc/kubernetes/manifests /kind/manifests /opt/cni \
    && ln -s /usr/lib/cni /opt/cni/bin \
    && ln -s /usr/sbin/runc /usr/local/sbin/runc \
    && ctr oci spec \
      | jq '.hooks.createContainer[.hooks.createContainer | length] |= . + {path: "/kind/bin/mount-product-files.sh"} | del(.process.rlimits)' \
      > /etc/containerd/cri-base.json \
    && sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' /etc/containerd/config.toml \
    && printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: no-storage-provisioner, namespace: kube-system}\n' \
      > /kind/manifests/default-storage.yaml

# The control plane's images, in the store of the node's containerd.
FROM node AS loaded
COPY images.tar /tmp/
RUN echo 'version = 3' > /tmp/containerd.toml \
    && { containerd --config /tmp/containerd.toml > /tmp/containerd.log 2>&1 & } \
    && for try in {1..100}; do ctr version > /dev/null 2>&1 && break || sleep 0.1; done \
    && ctr --namespace k8s.io images import --no-unpack /tmp/images.tar \
    && kill $! && wait $! || [ $? = 143 ]

FROM node
COPY --from=loaded /var/lib/containerd /var/lib/containerd
ENV container=docker
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]
