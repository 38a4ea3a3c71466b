import { inject } from 'vitest';
import { Kubectl } from '../lab/kubectl.ts';
import { run } from '../lab/run.ts';
import type { SharedStage } from './e2e-tier.ts';

/** Helm waits for what it installed; a cold node takes its time. */
const HELM_DEADLINE_MS = 180_000;

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
