import { beforeEach, inject } from 'vitest';
import { Kubectl } from '../lab/kubectl.ts';
import { run } from '../lab/run.ts';
import type { SharedStage } from './e2e-tier.ts';

/** Helm waits for what it installed; a cold node takes its time. */
const HELM_DEADLINE_MS = 180_000;

export const CHART = 'charts/asynq-operator';
/** Where it is installed. */
export const OPERATOR_NAMESPACE = 'asynq-system';

export function stage(): SharedStage {
  return inject('stage');
}

/** kubectl on the kind cluster, as administrator. */
export function kubectl(): Kubectl {
  const { kubectl: binary, kubeconfig } = stage();
  return new Kubectl({ binary, kubeconfig });
}

export function helm(args: readonly string[]): Promise<string> {
  const { helm: binary, kubeconfig } = stage();
  return run(binary, [...args], { env: { KUBECONFIG: kubeconfig }, timeout: HELM_DEADLINE_MS });
}

/** What the API server, or a log of what it said, has to say of a right that is missing. */
export const FORBIDDEN = /forbidden|"(status|code)":403/i;

export function operatorLog(): Promise<string> {
  return kubectl().run(['logs', 'deployment/asynq-operator', '--namespace', OPERATOR_NAMESPACE]);
}

/** Installs or upgrades the release; its default connection is the stage's Redis, by the Secret `redis`. */
export async function installOperator(
  options: { readonly chart?: string; readonly set?: readonly string[] } = {},
): Promise<void> {
  const { chart = CHART, set = [] } = options;
  const redis = { addrs: stage().redis.addrs, passwordSecretRef: { name: 'redis' } };
  const values = [
    '--set-json',
    `redis=${JSON.stringify(redis)}`,
    ...set.flatMap((value) => ['--set', value]),
  ];
  const place = ['--namespace', OPERATOR_NAMESPACE, '--create-namespace'];
  try {
    await helm(['upgrade', '--install', 'asynq-operator', chart, ...place, ...values, '--wait']);
  } catch (error) {
    const log = await operatorLog().catch(String);
    throw new Error(`the operator does not become ready; its log:\n${log}`, { cause: error });
  }
}

export function uninstallOperator(): Promise<string> {
  return helm(['uninstall', 'asynq-operator', '--namespace', OPERATOR_NAMESPACE, '--wait']);
}

/** Shows, beside a test that failed, what the cluster was like; call it at the top of a file. */
export function showClusterOnFailure(): void {
  const kube = kubectl();
  const looks = [
    ['get', 'asynqqueues,deployments,pods', '--all-namespaces', '--output', 'wide'],
    ['get', 'events.events.k8s.io', '--all-namespaces', '--sort-by=.metadata.creationTimestamp'],
    ['logs', 'deployment/asynq-operator', '--namespace', OPERATOR_NAMESPACE, '--tail=60'],
  ];
  beforeEach(({ onTestFailed }) => {
    onTestFailed(async () => {
      for (const look of looks)
        console.log(`\n$ kubectl ${look.join(' ')}\n${await kube.run(look).catch(String)}`);
    });
  });
}
