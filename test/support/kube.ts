import { randomUUID } from 'node:crypto';
import { afterAll, inject } from 'vitest';
import { type AuditEvent, readAuditLog } from '../lab/audit-log.ts';
import { Kubectl } from '../lab/kubectl.ts';
import type { SharedKube } from './api-tier.ts';
import { until } from './until.ts';

/**
 * The control plane that all files of the tier share: each works in namespaces of its own. A file that kills or pauses
 * the API server starts its own with `startControlPlane`.
 */
export function testKube(): SharedKube {
  return inject('kube');
}

/** kubectl on the shared control plane, as administrator. */
export function kubectl(): Kubectl {
  const { kubectl: binary, kubeconfig } = testKube();
  return new Kubectl({ binary, kubeconfig });
}

/** A new namespace in which pods could be made (its ServiceAccount is there); deleted after the file. */
export async function testNamespace(label = 'test'): Promise<string> {
  const name = `${label}-${randomUUID().slice(0, 8)}`;
  const kube = kubectl();
  await kube.run(['create', 'namespace', name]);
  afterAll(() => kube.run(['delete', 'namespace', name, '--wait=false']));
  await until(() => kube.run(['get', 'serviceaccount', 'default', '--namespace', name]), { timeout: 30_000 });
  return name;
}

/** What was asked of the shared API server so far that `filter` takes. */
export async function auditEvents(filter: (event: AuditEvent) => boolean): Promise<AuditEvent[]> {
  return (await readAuditLog(testKube().auditLog)).filter(filter);
}
