import { join } from 'node:path';
import { type AuditEvent, readAuditLog } from './audit-log.ts';
import { Child } from './child.ts';
import { onFreePorts } from './free-ports.ts';
import { goBuild } from './go-build.ts';
import { GO_PROGRAMS } from './go-programs.ts';
import { KubeApiServer } from './kube-apiserver.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { Kubectl } from './kubectl.ts';
import { type TempDir, tempDir } from './temp-dir.ts';

const HOST = '127.0.0.1';
const START_DEADLINE_MS = 120_000;

interface Binaries {
  readonly etcd: string;
  readonly apiServer: string;
  readonly controllerManager: string;
  readonly kubectl: string;
}

/** The programs of a control plane, built when the cache has none: about ten minutes, once. */
export async function controlPlaneBinaries(say: (line: string) => void = () => {}): Promise<Binaries> {
  return {
    etcd: await goBuild(GO_PROGRAMS.etcd, say),
    apiServer: await goBuild(GO_PROGRAMS['kube-apiserver'], say),
    controllerManager: await goBuild(GO_PROGRAMS['kube-controller-manager'], say),
    kubectl: await goBuild(GO_PROGRAMS.kubectl, say),
  };
}

/**
 * etcd, kube-apiserver and kube-controller-manager: a real Kubernetes whose pods are never run. Deployments get their
 * ReplicaSets and pods, what lost its owner is collected; a test that needs a running pod writes its status.
 */
export class ControlPlane implements AsyncDisposable {
  /** Path of a kubeconfig of a cluster administrator. */
  readonly kubeconfig: string;
  readonly kubectlBinary: string;
  /** Can be killed, paused and started again while etcd keeps what there is. */
  readonly apiServer: KubeApiServer;
  readonly #kubectl: Kubectl;
  readonly #others: readonly Child[];
  readonly #dir: TempDir;

  constructor(parts: {
    binaries: Binaries;
    apiServer: KubeApiServer;
    others: readonly Child[];
    dir: TempDir;
  }) {
    this.kubeconfig = join(parts.dir.path, 'kubeconfig');
    this.kubectlBinary = parts.binaries.kubectl;
    this.apiServer = parts.apiServer;
    this.#kubectl = new Kubectl({ binary: this.kubectlBinary, kubeconfig: this.kubeconfig });
    this.#others = parts.others;
    this.#dir = parts.dir;
  }

  /** `https://host:port`. */
  get server(): string {
    return this.apiServer.url;
  }

  /** What kubectl prints, as administrator. */
  kubectl(args: readonly string[], input?: string): Promise<string> {
    return this.#kubectl.run(args, input);
  }

  auditLog(): Promise<AuditEvent[]> {
    return readAuditLog(this.apiServer.auditLogFile);
  }

  /** Ends all processes and removes all they stored; harmless when done before. */
  async stop(): Promise<void> {
    await Promise.all([this.apiServer.kill(), ...this.#others.map((child) => child.stop('SIGKILL'))]);
    await this.#dir.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Starts a control plane whose controllers work when this resolves; any number of them runs side by side. */
export async function startControlPlane(say?: (line: string) => void): Promise<ControlPlane> {
  const binaries = await controlPlaneBinaries(say);
  return onFreePorts(3, HOST, async ([client = 0, peer = 0, port = 0]) => {
    const dir = await tempDir('control-plane');
    const started: Child[] = [];
    const apiServer = new KubeApiServer({
      binary: binaries.apiServer,
      etcd: `http://${HOST}:${client}`,
      dir: dir.path,
      host: HOST,
      port,
    });
    const controlPlane = new ControlPlane({ binaries, apiServer, others: started, dir });
    try {
      await apiServer.prepare();
      const etcd = startEtcd(binaries.etcd, dir.path, { client, peer });
      started.push(etcd);
      await etcd.ready(async () => (await fetch(`http://${HOST}:${client}/health`)).ok, {
        timeout: START_DEADLINE_MS,
      });
      await apiServer.start();
      await writeKubeconfig(controlPlane.kubeconfig, apiServer, apiServer.adminToken);
      // The default ServiceAccount is the controllers' sign of life.
      const controllers = await startControllerManager(binaries.controllerManager, dir.path, apiServer);
      started.push(controllers);
      await controllers.ready(() => apiServer.get('/api/v1/namespaces/default/serviceaccounts/default'), {
        timeout: START_DEADLINE_MS,
      });
      return controlPlane;
    } catch (error) {
      await controlPlane.stop();
      throw error;
    }
  });
}

function startEtcd(command: string, dir: string, ports: { client: number; peer: number }): Child {
  const client = `http://${HOST}:${ports.client}`;
  const peer = `http://${HOST}:${ports.peer}`;
  const args = [
    `--data-dir=${join(dir, 'etcd')}`,
    '--unsafe-no-fsync', // nothing of it outlives the test
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--log-level=warn',
  ];
  return new Child({ name: `etcd-${ports.client}`, command, args, dir });
}

async function startControllerManager(
  command: string,
  dir: string,
  apiServer: KubeApiServer,
): Promise<Child> {
  const kubeconfig = join(dir, 'controller-manager.kubeconfig');
  await writeKubeconfig(kubeconfig, apiServer, apiServer.controllerManagerToken);
  const args = [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--secure-port=0',
    `--root-ca-file=${apiServer.caFile}`,
    `--service-account-private-key-file=${apiServer.serviceAccountKeyFile}`,
    '--use-service-account-credentials=false',
  ];
  return new Child({ name: 'kube-controller-manager', command, args, dir });
}
