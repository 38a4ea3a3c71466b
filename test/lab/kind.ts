import { join } from 'node:path';
import type { Docker } from './docker.ts';
import { goBuild } from './go-build.ts';
import { GO_PROGRAMS } from './go-programs.ts';
import { COREDNS_TAG, ETCD_TAG, kindNodeImage } from './kind-node-image.ts';
import { run } from './run.ts';
import { tempDir } from './temp-dir.ts';

export interface KindCluster extends AsyncDisposable {
  /** Path of a kubeconfig whose user may do everything. */
  readonly kubeconfig: string;
  /** This machine's address as pods see it. */
  readonly hostAddress: string;
  readonly kubectlBinary: string;
  /** Puts the images of an archive (as `docker save` writes it) where the node finds them. */
  loadImage(archive: string): Promise<void>;
  stop(): Promise<void>;
}

const CREATE_DEADLINE_MS = 5 * 60_000;

/** Makes what `startKind` needs and would take minutes for. */
export async function prepareKind(docker: Docker, say: (line: string) => void): Promise<void> {
  await goBuild(GO_PROGRAMS.kind, say);
  await goBuild(GO_PROGRAMS.kubectl, say);
  if (!docker.canPull) await kindNodeImage(docker, say);
}

/** A cluster of one node with real pods. Where images cannot be pulled, its node is made of what can be had. */
export async function startKind(docker: Docker, say: (line: string) => void): Promise<KindCluster> {
  const kind = await goBuild(GO_PROGRAMS.kind, say);
  const kubectlBinary = await goBuild(GO_PROGRAMS.kubectl, say);
  const nodeImage = docker.canPull ? undefined : await kindNodeImage(docker, say);
  const name = `asynq-${process.pid}`;
  const work = await tempDir('kind');
  const kubeconfig = join(work.path, 'kubeconfig');

  const runKind = (args: readonly string[], input?: string) =>
    run(kind, [...args, '--name', name], {
      env: docker.env,
      timeout: CREATE_DEADLINE_MS,
      ...(input === undefined ? {} : { input }),
    });
  const stop = async () => {
    await runKind(['delete', 'cluster', '--kubeconfig', kubeconfig]);
    await work.remove();
  };

  try {
    const config = JSON.stringify(clusterConfig(docker, nodeImage));
    await runKind(['create', 'cluster', '--wait', '2m', '--kubeconfig', kubeconfig, '--config', '-'], config);
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
  return {
    kubeconfig,
    hostAddress: docker.hostAddress,
    kubectlBinary,
    loadImage: async (archive) => void (await runKind(['load', 'image-archive', archive])),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** What `kind create cluster` is told; a node of our own differs in what it was made of. */
function clusterConfig(docker: Docker, nodeImage: string | undefined): object {
  const config = {
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    networking: { apiServerAddress: docker.publishAddress },
  };
  if (nodeImage === undefined) return config;
  return {
    ...config,
    networking: {
      ...config.networking,
      apiServerPort: 6443, // kind would look for a free one in our network namespace, not in docker's
      disableDefaultCNI: true,
      kubeProxyMode: 'nftables',
    },
    nodes: [{ role: 'control-plane', image: nodeImage }],
    kubeadmConfigPatches: [
      {
        kind: 'ClusterConfiguration',
        etcd: { local: { imageTag: ETCD_TAG } },
        dns: { imageTag: COREDNS_TAG },
      },
      { kind: 'KubeletConfiguration', failCgroupV1: false },
    ].map((patch) => JSON.stringify(patch)),
  };
}
