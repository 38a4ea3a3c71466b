import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Docker } from './docker.ts';
import { goBuild, goSources } from './go-build.ts';
import { COREDNS_VERSION, ETCD_VERSION, GO_PROGRAMS, KUBERNETES_VERSION } from './go-programs.ts';
import { buildImage, debianImage } from './image.ts';
import { shortHash } from './short-hash.ts';
import { tempDir } from './temp-dir.ts';

/** What the node itself runs; CNI plugins and runc are Debian's. */
const NODE_PACKAGES =
  `systemd systemd-sysv dbus mount kmod procps hostname pigz curl jq ca-certificates conntrack iptables nftables
   iproute2 ethtool libseccomp2 containernetworking-plugins runc`.split(/\s+/);
/** What the control plane's containers need besides their own program. */
const COMPONENT_PACKAGES = ['nftables', 'ca-certificates'];

const NODE_PROGRAMS = [
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'kubeadm',
  'kubelet',
  'kubectl',
] as const;

/** Versions of etcd and CoreDNS that kubeadm has to be told of: it would ask for those that it was released with. */
export const ETCD_TAG = `${ETCD_VERSION.slice(1)}-0`;
export const COREDNS_TAG = COREDNS_VERSION;

const COMPONENTS = {
  'kube-apiserver': KUBERNETES_VERSION,
  'kube-controller-manager': KUBERNETES_VERSION,
  'kube-scheduler': KUBERNETES_VERSION,
  'kube-proxy': KUBERNETES_VERSION,
  etcd: ETCD_TAG,
  coredns: COREDNS_TAG,
  pause: '3.10', // as the containerd configuration of kind's node has it
} as const;

/** Name of an image of kind's node, made of Debian packages and Go programs unless the daemon has it already. */
export async function kindNodeImage(docker: Docker, say: (line: string) => void): Promise<string> {
  const folder = join(import.meta.dirname, 'kind');
  const dockerfile = await readFile(join(folder, 'node.Dockerfile'), 'utf8');
  const programs: Record<string, string> = {};
  for (const name of [...NODE_PROGRAMS, ...Object.keys(COMPONENTS)] as (keyof typeof GO_PROGRAMS)[])
    programs[name] = await goBuild(GO_PROGRAMS[name], say);
  const base = await debianImage(docker, 'minbase', NODE_PACKAGES, say);

  const builds = Object.values(programs).map((path) => basename(dirname(path)));
  const inputs = shortHash([dockerfile, builds, base, COMPONENT_PACKAGES]);
  const image = `kindest/node:${KUBERNETES_VERSION}-${inputs}`;
  if (await docker.hasImage(image)) return image;
  say(`Making the image of kind's node, ${image} (once)`);
  await using work = await tempDir('kind-node');
  await buildImage(docker, {
    tag: image,
    dockerfile,
    args: { DEBIAN: base },
    files: {
      ...Object.fromEntries(NODE_PROGRAMS.map((name) => [name, programs[name] ?? ''])),
      files: join(await goSources('kind', 'sigs.k8s.io/kind'), 'images/base/files'),
      'bridge.conflist': join(folder, 'bridge.conflist'),
      'images.tar': await componentImages(docker, programs, join(work.path, 'images.tar'), say),
    },
  });
  return image;
}

/** The images that kubeadm's pods ask for, in one archive. */
async function componentImages(
  docker: Docker,
  programs: Readonly<Record<string, string>>,
  archive: string,
  say: (line: string) => void,
): Promise<string> {
  const base = await debianImage(docker, 'extract', COMPONENT_PACKAGES, say);
  const tags: string[] = [];
  for (const [name, version] of Object.entries(COMPONENTS)) {
    const tag = `registry.k8s.io/${name === 'coredns' ? 'coredns/coredns' : name}:${version}`;
    const place = `/usr/local/bin/${name}`;
    const dockerfile = `FROM ${base}\nCOPY ${name} ${place}\nENTRYPOINT ["${place}"]\n`;
    await buildImage(docker, { tag, dockerfile, files: { [name]: programs[name] ?? '' } });
    tags.push(tag);
  }
  await docker.run(['save', '--output', archive, ...tags], { timeout: 120_000 });
  return archive;
}
