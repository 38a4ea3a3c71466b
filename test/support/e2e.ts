import { beforeEach, inject } from 'vitest';
import { Kubectl } from '../lab/kubectl.ts';
import { run } from '../lab/run.ts';
import type { SharedStage } from './e2e-tier.ts';

/** Helm waits for what it installed; a cold node takes its time. */
const HELM_DEADLINE_MS = 180_000;

/** Where the chart is installed. */
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
