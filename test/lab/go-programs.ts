import type { GoProgram } from './go-build.ts';

/** Versions are those of the modules' go.mod files; here they only name things. */
export const KUBERNETES_VERSION = 'v1.37.2';
export const ETCD_VERSION = 'v3.7.3';
export const COREDNS_VERSION = 'v1.15.0';

/** Kubernetes' own programs; the version is stamped in as its build does, kubeadm and kubelet compare it. */
function kubernetes(name: string): GoProgram {
  const [major, minor] = KUBERNETES_VERSION.slice(1).split('.');
  const stamp = {
    gitVersion: KUBERNETES_VERSION,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
  };
  const ldflags = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']
    .flatMap((pkg) => Object.entries(stamp).map(([key, value]) => `-X ${pkg}.${key}=${value}`))
    .join(' ');
  return { name, version: KUBERNETES_VERSION, module: 'k8s', main: `k8s.io/kubernetes/cmd/${name}`, ldflags };
}

function containerd(name: string): GoProgram {
  return {
    name,
    version: 'v2.4.2',
    module: 'containerd',
    main: `github.com/containerd/containerd/v2/cmd/${name}`,
    ldflags: '-X github.com/containerd/containerd/v2/version.Version=v2.4.2',
    tags: 'no_aufs,no_zfs,no_btrfs,no_devmapper',
  };
}

/** All that the lab builds from Go modules. */
export const GO_PROGRAMS = {
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  'kube-scheduler': kubernetes('kube-scheduler'),
  'kube-proxy': kubernetes('kube-proxy'),
  kubeadm: kubernetes('kubeadm'),
  kubectl: kubernetes('kubectl'),
  kubelet: kubernetes('kubelet'),
  etcd: { name: 'etcd', version: ETCD_VERSION, module: 'etcd', main: 'go.etcd.io/etcd/server/v3' },
  kind: { name: 'kind', version: 'v0.33.0', module: 'kind', main: 'sigs.k8s.io/kind' },
  helm: {
    name: 'helm',
    version: 'v4.3.1',
    module: 'helm',
    main: 'helm.sh/helm/v4/cmd/helm',
    ldflags: '-X helm.sh/helm/v4/internal/version.version=v4.3.1',
  },
  containerd: containerd('containerd'),
  'containerd-shim-runc-v2': containerd('containerd-shim-runc-v2'),
  ctr: containerd('ctr'),
  coredns: {
    name: 'coredns',
    version: COREDNS_VERSION,
    module: 'coredns',
    main: 'github.com/coredns/coredns',
  },
  pause: { name: 'pause', version: 'v1', module: 'pause', main: '.' },
} as const satisfies Record<string, GoProgram>;
