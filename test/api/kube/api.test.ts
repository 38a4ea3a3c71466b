import { afterAll, beforeAll, expect, test } from 'vitest';
import { KubeClient } from '../../../src/kube/api.ts';
import { loadKubeConfig } from '../../../src/kube/config.ts';
import {
  isAlreadyExists,
  isConflict,
  isInvalid,
  isNotFound,
  type KubeError,
} from '../../../src/kube/kube-error.ts';
import { microTime } from '../../../src/kube/micro-time.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  LEASES,
  type Lease,
  NAMESPACES,
  PODS,
} from '../../../src/kube/resources.ts';
import { auditEvents, testKube, testNamespace } from '../../support/kube.ts';

let client: KubeClient;
let namespace: string;

beforeAll(async () => {
  const credentials = await loadKubeConfig({ path: testKube().kubeconfig });
  client = new KubeClient({ credentials, userAgent: 'kube-api-test/1' });
  namespace = await testNamespace('api');
});

afterAll(() => client.close());

function deployment(
  name: string,
  image = 'web:1',
): { metadata: { namespace: string; name: string }; spec: object } {
  const labels = { app: name };
  return {
    metadata: { namespace, name },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image }] } },
    },
  };
}

function createLease(name: string, renewTime: string): Promise<Lease> {
  return client.create(
    LEASES,
    { metadata: { namespace, name }, spec: { renewTime } },
    { fieldManager: 'me' },
  );
}

test('a Deployment applied without replicas keeps the number that scale set', async () => {
  const ref = { namespace, name: 'scaled' };
  await client.apply(DEPLOYMENTS, deployment('scaled'), { fieldManager: 'template' });
  const scale = await client.scale(DEPLOYMENTS, ref, 3, { fieldManager: 'scaler' });
  expect(scale.spec?.replicas).toBe(3);
  const again = await client.apply(DEPLOYMENTS, deployment('scaled', 'web:2'), { fieldManager: 'template' });
  expect(again.spec?.replicas).toBe(3);
  const owners = again.metadata.managedFields?.map(
    (it) => `${it.manager} ${it.operation} ${it.subresource ?? ''}`,
  );
  expect(owners).toEqual(expect.arrayContaining(['template Apply ', 'scaler Apply scale']));
});

test('what was applied and is applied no more goes away; the same again writes nothing', async () => {
  const name = 'trimmed';
  const options = { fieldManager: 'owner' };
  await client.apply(CONFIG_MAPS, { metadata: { namespace, name }, data: { a: '1', b: '2' } }, options);
  const first = await client.apply(CONFIG_MAPS, { metadata: { namespace, name }, data: { a: '1' } }, options);
  expect(first.data).toEqual({ a: '1' });
  const second = await client.apply(
    CONFIG_MAPS,
    { metadata: { namespace, name }, data: { a: '1' } },
    options,
  );
  expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
});

test('apply without force is a conflict over a field of somebody else', async () => {
  const name = 'contested';
  await client.apply(
    CONFIG_MAPS,
    { metadata: { namespace, name }, data: { a: '1' } },
    { fieldManager: 'one' },
  );
  const intent = { metadata: { namespace, name }, data: { a: '2' } };
  const error: unknown = await client
    .apply(CONFIG_MAPS, intent, { fieldManager: 'two', force: false })
    .catch((it: unknown) => it);
  expect(isConflict(error)).toBe(true);
  expect((error as KubeError).message).toContain('conflict with "one"');
  expect((await client.apply(CONFIG_MAPS, intent, { fieldManager: 'two' })).data).toEqual({ a: '2' });
});

test('a dry run checks everything and changes nothing', async () => {
  await client.apply(
    CONFIG_MAPS,
    { metadata: { namespace, name: 'dry' } },
    { fieldManager: 'me', dryRun: true },
  );
  expect(
    isNotFound(await client.get(CONFIG_MAPS, { namespace, name: 'dry' }).catch((it: unknown) => it)),
  ).toBe(true);
  const bad = { metadata: { namespace, name: 'dry' }, spec: { replicas: -1 } };
  const error: unknown = await client
    .apply(DEPLOYMENTS, bad, { fieldManager: 'me', dryRun: true })
    .catch((it: unknown) => it);
  expect(isInvalid(error)).toBe(true);
});

test('status is written through its own door', async () => {
  const pod = { metadata: { namespace, name: 'pod' }, spec: { containers: [{ name: 'c', image: 'c' }] } };
  await client.create(PODS, pod, { fieldManager: 'me' });
  const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
  const patched = await client.mergePatch(
    PODS,
    pod.metadata,
    { status: ready },
    { fieldManager: 'me', subresource: 'status' },
  );
  expect(patched.status?.conditions?.[0]?.status).toBe('True');
  const applied = await client.apply(
    PODS,
    { metadata: pod.metadata, status: { message: 'hello' } },
    { fieldManager: 'me/status', subresource: 'status' },
  );
  expect(applied.status?.message).toBe('hello');
});

test('a merge patch that names a version is refused when somebody wrote since', async () => {
  const ref = { namespace, name: 'versioned' };
  const first = await client.create(CONFIG_MAPS, { metadata: ref }, { fieldManager: 'me' });
  const patch = (value: string) => ({
    metadata: { resourceVersion: first.metadata.resourceVersion },
    data: { value },
  });
  await client.mergePatch(CONFIG_MAPS, ref, patch('1'), { fieldManager: 'me' });
  const error: unknown = await client
    .mergePatch(CONFIG_MAPS, ref, patch('2'), { fieldManager: 'me' })
    .catch((it: unknown) => it);
  expect(isConflict(error)).toBe(true);
  const twice: unknown = await client
    .create(CONFIG_MAPS, { metadata: ref }, { fieldManager: 'me' })
    .catch((it: unknown) => it);
  expect(isAlreadyExists(twice)).toBe(true);
  expect(isConflict(twice)).toBe(false);
});

test('deletes only the object that it was told of', async () => {
  const ref = { namespace, name: 'reborn' };
  const { metadata } = await client.create(CONFIG_MAPS, { metadata: ref }, { fieldManager: 'me' });
  await expect(client.delete(CONFIG_MAPS, ref, { preconditions: { uid: 'another' } })).rejects.toMatchObject({
    status: 409,
  });
  expect(
    await client.delete(CONFIG_MAPS, ref, {
      preconditions: { uid: metadata.uid ?? '' },
      propagationPolicy: 'Background',
    }),
  ).toBe(true);
  expect(await client.delete(CONFIG_MAPS, ref)).toBe(false);
});

test('pages show one snapshot', async () => {
  const options = { namespace, labelSelector: 'paged=yes', limit: 3 };
  for (let n = 0; n < 7; n++) {
    await client.create(
      CONFIG_MAPS,
      { metadata: { namespace, name: `page-${n}`, labels: { paged: 'yes' } } },
      { fieldManager: 'me' },
    );
  }
  const first = await client.list(CONFIG_MAPS, options);
  await client.delete(CONFIG_MAPS, { namespace, name: 'page-6' });
  const second = await client.list(CONFIG_MAPS, { ...options, continue: first.continue ?? '' });
  const third = await client.list(CONFIG_MAPS, { ...options, continue: second.continue ?? '' });
  const names = [first, second, third].flatMap((page) => page.items.map((it) => it.metadata.name));
  expect(names).toEqual([0, 1, 2, 3, 4, 5, 6].map((n) => `page-${n}`));
  expect(third.continue).toBeUndefined();
  expect(third.resourceVersion).toBe(first.resourceVersion);
  expect(first.items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
});

test('the API server takes our times, and not those of Date', async () => {
  expect((await createLease('six', microTime(1_700_000_000_123))).spec?.renewTime).toBe(
    '2023-11-14T22:13:20.123000Z',
  );
  await expect(createLease('three', new Date().toISOString())).rejects.toMatchObject({ status: 400 });
});

test('objects outside of namespaces, other paths, and our name in the audit log', async () => {
  expect((await client.get(NAMESPACES, { name: namespace })).metadata.name).toBe(namespace);
  expect(await client.getPath('/version')).toMatchObject({ gitVersion: expect.stringMatching(/^v1\./) });
  const seen = await auditEvents((event) => event.userAgent === 'kube-api-test/1');
  expect(seen.length).toBeGreaterThan(0);
});

test('a watch tells what happened, from a version on, and ends with its signal', async () => {
  const { resourceVersion } = await client.list(CONFIG_MAPS, { namespace });
  const abort = new AbortController();
  const options = { namespace, labelSelector: 'watched=yes', resourceVersion, signal: abort.signal };
  const watch = await client.watch(CONFIG_MAPS, options);
  const ref = { namespace, name: 'watched' };
  await client.create(
    CONFIG_MAPS,
    { metadata: { ...ref, labels: { watched: 'yes' } } },
    { fieldManager: 'me' },
  );
  await client.mergePatch(CONFIG_MAPS, ref, { data: { a: '1' } }, { fieldManager: 'me' });
  await client.delete(CONFIG_MAPS, ref);
  const types: string[] = [];
  for await (const event of watch) {
    if (event.type !== 'BOOKMARK') types.push(event.type);
    if (event.type === 'DELETED') abort.abort();
  }
  expect(types).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
});
