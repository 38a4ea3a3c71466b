import { beforeAll, describe, expect, it } from 'vitest';
import { isWrite } from '../../lab/audit-log.ts';
import { startControlPlane } from '../../lab/control-plane.ts';
import { auditEvents, kubectl, testKube, testNamespace } from '../../support/kube.ts';
import { until } from '../../support/until.ts';

interface List {
  readonly items: { readonly metadata: { readonly name: string } }[];
}

describe('the shared control plane', () => {
  const kube = kubectl();
  let namespace: string;
  beforeAll(async () => {
    namespace = await testNamespace('lab');
  });

  it('knows our CRDs', async () => {
    expect(await kube.run(['get', 'asynqqueues', '--namespace', namespace])).toBe('');
  });

  it('makes pods of a Deployment, and collects them when it is gone', async () => {
    const pods = () => kube.json<List>(['get', 'pods', '--namespace', namespace]);
    await kube.run(['create', 'deployment', 'web', '--image=web', '--replicas=2', '--namespace', namespace]);
    await until(async () => (await pods()).items.length === 2, { timeout: 20_000 });
    await kube.run(['delete', 'deployment', 'web', '--namespace', namespace]);
    await until(async () => (await pods()).items.length === 0, { timeout: 20_000 });
  });

  it('notes who wrote what, once', async () => {
    await kube.run(['create', 'configmap', 'noted', '--namespace', namespace]);
    const writes = await auditEvents(
      (event) =>
        isWrite(event) && event.objectRef?.resource === 'configmaps' && event.objectRef.name === 'noted',
    );
    expect(writes.map((event) => [event.verb, event.user.username, event.responseStatus?.code])).toEqual([
      ['create', 'admin', 201],
    ]);
  });
});

describe('a control plane of one’s own', () => {
  it('keeps what it knows when its API server is killed, beside the shared one', async () => {
    await using own = await startControlPlane();
    expect(own.server).not.toBe(testKube().server);
    await own.kubectl(['create', 'configmap', 'kept']);
    await own.apiServer.kill();
    await expect(own.kubectl(['get', 'configmap', 'kept'])).rejects.toThrow(/refused/);
    await own.apiServer.start();
    expect(await own.kubectl(['get', 'configmap', 'kept', '-o', 'name'])).toBe('configmap/kept\n');
  });
});
