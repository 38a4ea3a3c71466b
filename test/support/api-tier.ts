import { globSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { controlPlaneBinaries, startControlPlane } from '../lab/control-plane.ts';
import { until } from './until.ts';

/** How to reach the control plane that all files of the tier share. */
export interface SharedKube {
  readonly server: string;
  /** Path of a kubeconfig of a cluster administrator. */
  readonly kubeconfig: string;
  readonly kubectl: string;
  readonly auditLog: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    kube: SharedKube;
  }
}

/** Builds the control plane's programs. */
export async function prepare(say: (line: string) => void): Promise<void> {
  const { apiServer } = await controlPlaneBinaries(say);
  say(`Kubernetes (${apiServer})`);
}

/** vitest's global setup of the tier: one control plane that knows our CRDs, for all its files. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const controlPlane = await startControlPlane();
  try {
    const crds = globSync('crds/asynq.dev_*.yaml').flatMap((file) => ['-f', file]);
    await controlPlane.kubectl(['apply', ...crds]);
    // Right after its birth a CRD has no conditions at all, which kubectl wait takes for an error.
    await until(() => controlPlane.kubectl(['wait', '--for=condition=Established', ...crds]), {
      timeout: 30_000,
    });
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
  project.provide('kube', {
    server: controlPlane.server,
    kubeconfig: controlPlane.kubeconfig,
    kubectl: controlPlane.kubectlBinary,
    auditLog: controlPlane.apiServer.auditLogFile,
  });
  return () => controlPlane.stop();
}
