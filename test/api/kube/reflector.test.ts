import { afterEach, expect, test } from 'vitest';
import { KubeClient } from '../../../src/kube/api.ts';
import { loadKubeConfig } from '../../../src/kube/config.ts';
import { Controller } from '../../../src/kube/controller.ts';
import { isGone } from '../../../src/kube/kube-error.ts';
import { Reflector, type ReflectorOptions } from '../../../src/kube/reflector.ts';
import { CONFIG_MAPS, type ConfigMap } from '../../../src/kube/resources.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { startControlPlane } from '../../lab/control-plane.ts';
import { testKube, testNamespace } from '../../support/kube.ts';
import { until } from '../../support/until.ts';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function clientOf(kubeconfig: string): Promise<KubeClient> {
  const client = new KubeClient({
    credentials: await loadKubeConfig({ path: kubeconfig }),
    userAgent: 'test/1',
  });
  cleanups.push(() => client.close());
  return client;
}

async function reflect(
  client: KubeClient,
  options: Omit<ReflectorOptions<ConfigMap>, 'client' | 'resource'>,
): Promise<Reflector<ConfigMap>> {
  const reflector = new Reflector({ client, resource: CONFIG_MAPS, ...options });
  cleanups.push(() => reflector.stop());
  reflector.start();
  expect(await reflector.synced).toBe(true);
  return reflector;
}

function put(client: KubeClient, namespace: string, name: string, value: string): Promise<ConfigMap> {
  const intent = { metadata: { namespace, name, labels: { mine: 'yes' } }, data: { value } };
  return client.apply(CONFIG_MAPS, intent, { fieldManager: 'me' });
}

async function firstEvent(client: KubeClient, resourceVersion: string): Promise<unknown> {
  const signal = AbortSignal.timeout(10_000);
  const watch = await client.watch(CONFIG_MAPS, { namespace: 'default', resourceVersion, signal });
  return (await watch.next()).value;
}

test('follows what happens: in one namespace, with a label, by an index', async () => {
  const [here, elsewhere] = [await testNamespace('here'), await testNamespace('elsewhere')];
  const client = await clientOf(testKube().kubeconfig);
  await put(client, here, 'before', '1');
  await put(client, elsewhere, 'outside', '1');
  const { store } = await reflect(client, {
    namespace: here,
    labelSelector: 'mine=yes',
    indexes: { value: (it) => [it.data?.['value'] ?? ''] },
  });
  expect(store.keys()).toEqual([`${here}/before`]);
  await put(client, here, 'after', '2');
  await put(client, elsewhere, 'outside', '2');
  await until(() => store.size === 2);
  expect(store.byIndex('value', '2').map((it) => it.metadata.name)).toEqual(['after']);
  expect(store.get(`${here}/after`)?.metadata).not.toHaveProperty('managedFields');
  await client.delete(CONFIG_MAPS, { namespace: here, name: 'before' });
  await until(() => store.size === 1);
  await client.mergePatch(
    CONFIG_MAPS,
    { namespace: here, name: 'after' },
    { metadata: { labels: { mine: null } } },
    { fieldManager: 'me' },
  );
  await until(() => store.size === 0);
});

test('the answer to a write is in the store at once, and its event changes nothing', async () => {
  const namespace = await testNamespace('own-write');
  const client = await clientOf(testKube().kubeconfig);
  const { store } = await reflect(client, { namespace });
  const changes: string[] = [];
  store.onChange((change) => changes.push(`${change.type} ${change.key}`));
  const written = await put(client, namespace, 'mine', '1');
  store.upsertIfNewer(written);
  expect(store.get(`${namespace}/mine`)?.data).toEqual({ value: '1' });
  await put(client, namespace, 'later', '1');
  await until(() => store.get(`${namespace}/later`));
  expect(changes.filter((it) => it.endsWith('/mine'))).toEqual([`added ${namespace}/mine`]);
});

test('survives an API server that dies and comes back, and one that comes late', async () => {
  await using own = await startControlPlane();
  const client = await clientOf(own.kubeconfig);
  const { metadata } = await put(client, 'default', 'old', '0');
  await put(client, 'default', 'old', '1');
  const first = await reflect(client, { namespace: 'default', labelSelector: 'mine=yes' });
  await own.apiServer.kill();
  await until(() => first.status().failures > 0);
  expect(first.store.keys()).toEqual(['default/old']);
  const late = new Reflector({
    client,
    resource: CONFIG_MAPS,
    namespace: 'default',
    labelSelector: 'mine=yes',
  });
  cleanups.push(() => late.stop());
  late.start();
  await until(() => late.status().failures > 0);
  expect(late.status()).toMatchObject({ synced: false, lastError: expect.stringContaining('ECONNREFUSED') });
  await own.apiServer.start();
  await put(client, 'default', 'new', '1');
  await client.delete(CONFIG_MAPS, { namespace: 'default', name: 'old' });
  await until(() => first.store.keys().join() === 'default/new', { timeout: 40_000 });
  await until(() => late.store.keys().join() === 'default/new', { timeout: 40_000 });
  expect(first.status()).toMatchObject({ state: 'Watching', synced: true });
  // A server that came back remembers nothing of before.
  const forgotten = metadata.resourceVersion ?? '';
  const error: unknown = await firstEvent(client, forgotten).catch((it: unknown) => it);
  expect(isGone(error)).toBe(true);
});

test('a controller makes every copy be like its original, whatever happens to either', async () => {
  const namespace = await testNamespace('controller');
  const client = await clientOf(testKube().kubeconfig);
  const { store } = await reflect(client, { namespace, labelSelector: 'mine=yes' });
  const controller = new Controller({
    name: 'copier',
    clock: systemClock,
    reconcile: async (key, signal) => {
      const original = store.get(key);
      const ref = { namespace, name: `${key.slice(key.indexOf('/') + 1)}-copy` };
      if (original === undefined) await client.delete(CONFIG_MAPS, ref, { signal });
      else
        await client.apply(
          CONFIG_MAPS,
          { metadata: ref, data: original.data },
          { fieldManager: 'copier', signal },
        );
      return undefined;
    },
  });
  cleanups.push(() => controller.stop());
  store.onChange(({ key }) => controller.enqueue(key));
  controller.start();
  const names = Array.from({ length: 10 }, (_, n) => `original-${n}`);
  for (const round of ['1', '2', '3'])
    await Promise.all(names.map((name) => put(client, namespace, name, round)));
  await client.delete(CONFIG_MAPS, { namespace, name: 'original-0' });
  await until(
    async () => {
      const { items } = await client.list(CONFIG_MAPS, { namespace });
      const copies = items.filter((it) => it.metadata.name.endsWith('-copy'));
      return copies.length === 9 && copies.every((it) => it.data?.['value'] === '3');
    },
    { timeout: 15_000 },
  );
});
