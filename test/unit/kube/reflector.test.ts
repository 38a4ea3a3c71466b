import { afterEach, beforeEach, expect, test } from 'vitest';
import type { KubeClient } from '../../../src/kube/api.ts';
import { Reflector } from '../../../src/kube/reflector.ts';
import { PODS, type Pod } from '../../../src/kube/resources.ts';
import {
  FakeApiServer,
  hang,
  list,
  quietClose,
  refuse,
  reset,
  stayOpen,
} from '../../support/fake-api-server.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';
import { clientOf } from '../../support/kube-client.ts';
import { until } from '../../support/until.ts';

let server: FakeApiServer;
let clock: FakeClock;
let client: KubeClient;
let reflector: Reflector<Pod>;
let seen: string[];

beforeEach(async () => {
  server = await FakeApiServer.start();
  clock = new FakeClock();
  seen = [];
  client = await clientOf(server.url, {
    clock,
    observer: {
      relisted: ({ reason }) => seen.push(`relist ${reason}`),
      watchEnded: ({ reason }) => seen.push(`watch ${reason}`),
      watchEventDropped: ({ reason }) => seen.push(`dropped ${reason}`),
    },
  });
  reflector = new Reflector({ client, resource: PODS, namespace: 'ns' });
});

afterEach(async () => {
  await reflector.stop();
  await until(() => clock.sleepers === 0, { what: 'no sleep that outlives stop' });
  await until(() => server.openWatches.length === 0, { what: 'no watch that outlives stop' });
  await client.close();
  await server[Symbol.asyncDispose]();
});

function pod(name: string, resourceVersion: string, extra: object = {}): object {
  return { metadata: { namespace: 'ns', name, resourceVersion, uid: `uid-${name}`, ...extra } };
}

/** Starts and waits for the first open watch. */
async function watching(): Promise<Awaited<ReturnType<FakeApiServer['nthWatch']>>> {
  reflector.start();
  const watch = await server.nthWatch(1);
  await inState('Watching');
  return watch;
}

async function inState(state: string): Promise<void> {
  await until(() => reflector.status().state === state, { what: `state ${state}`, interval: 5 });
  await settled();
}

test('lists all pages in one snapshot, then watches from its version', async () => {
  server.script('list', list('10', [pod('a', '3')], 'page-2'), list('10', [pod('b', '7')]));
  await watching();
  expect(await reflector.synced).toBe(true);
  expect(reflector.store.keys()).toEqual(['ns/a', 'ns/b']);
  const [first, second, watch] = server.exchanges;
  expect(first?.query).toEqual({ limit: '500' });
  expect(second?.query).toEqual({ limit: '500', continue: 'page-2' });
  expect(watch?.query).toMatchObject({
    resourceVersion: '10',
    allowWatchBookmarks: 'true',
    timeoutSeconds: '320',
  });
});

test('starts over without a continue token that became too old', async () => {
  server.script(
    'list',
    list('10', [pod('a', '3')], 'p'),
    refuse(410, 'Expired'),
    list('12', [pod('b', '11')]),
  );
  await watching();
  expect(reflector.store.keys()).toEqual(['ns/b']);
});

test('retries a first list that failed, and says so meanwhile', async () => {
  server.script(
    'list',
    refuse(500, 'InternalError'),
    refuse(500, 'InternalError'),
    list('5', [pod('a', '4')]),
  );
  reflector.start();
  await inState('Backoff');
  expect(reflector.status()).toMatchObject({
    synced: false,
    failures: 1,
    lastError: expect.stringContaining('500'),
  });
  await clock.advance(399);
  expect(server.count('list')).toBe(1);
  await clock.advance(1);
  await until(() => reflector.status().failures === 2 && reflector.status().state === 'Backoff');
  await clock.advance(800);
  await inState('Watching');
  expect(await reflector.synced).toBe(true);
  expect(reflector.store.size).toBe(1);
});

test('retries a first list while nobody listens at all', async () => {
  const { port } = server;
  await server[Symbol.asyncDispose]();
  reflector.start();
  await inState('Backoff');
  server = await FakeApiServer.start({ port });
  await clock.advance(400);
  await inState('Watching');
  expect(reflector.status().lastError).toContain('ECONNREFUSED');
});

test('goes on from where it was when the connection is reset', async () => {
  server.script('list', list('10', [pod('a', '3')]));
  const watch = await watching();
  watch.send('ADDED', pod('b', '14'));
  await until(() => reflector.store.size === 2);
  watch.reset();
  await inState('Backoff');
  await clock.advance(400);
  const again = await server.nthWatch(2);
  expect(again.exchange.query['resourceVersion']).toBe('14');
  expect(server.count('list')).toBe(1);
  expect(seen).toEqual(['watch unreachable']);
});

test.each([429, 503])(
  'does not come back before Retry-After when a watch is answered with %i',
  async (code) => {
    server.script('watch', refuse(code, 'Busy', {}, { 'retry-after': '7' }), stayOpen(server));
    reflector.start();
    await inState('Backoff');
    await clock.advance(7_399);
    expect(server.count('watch')).toBe(1);
    await clock.advance(1);
    await server.nthWatch(1);
    expect(server.count('watch')).toBe(2);
    expect(server.count('list')).toBe(1);
  },
);

test.each([
  ['an ERROR event', 'event'],
  ['an HTTP status', 'status'],
])('relists after 410 in %s, spread in time, and finds what was deleted', async (_, how) => {
  server.script(
    'list',
    list('10', [pod('a', '3'), pod('b', '4')]),
    list('20', [pod('b', '4'), pod('c', '15')]),
  );
  if (how === 'status') server.script('watch', refuse(410, 'Expired'), stayOpen(server));
  const changes: string[] = [];
  reflector.store.onChange((change) => changes.push(`${change.type} ${change.key}`));
  reflector.start();
  if (how === 'event') (await server.nthWatch(1)).send('ERROR', { code: 410, reason: 'Expired' });
  await inState('Backoff');
  await clock.advance(399);
  expect(server.count('list')).toBe(1);
  await clock.advance(1);
  await until(() => server.count('list') === 2);
  await inState('Watching');
  expect(changes).toEqual(['added ns/a', 'added ns/b', 'added ns/c', 'deleted ns/a']);
  expect(seen).toEqual(['watch gone', 'relist gone']);
});

test('rewatches from the same version after an ERROR event that is not 410', async () => {
  server.script('list', list('10', []));
  (await watching()).send('ERROR', { code: 500, reason: 'InternalError' });
  await inState('Backoff');
  await clock.advance(400);
  expect((await server.nthWatch(2)).exchange.query['resourceVersion']).toBe('10');
  expect(server.count('list')).toBe(1);
});

test('reopens a watch that lived at once, however often it is closed', async () => {
  reflector.start();
  for (let n = 1; n <= 5; n++) {
    const watch = await server.nthWatch(n);
    await inState('Watching');
    await clock.advance(1_000);
    watch.end();
  }
  await server.nthWatch(6);
  expect(seen).toEqual(Array<string>(5).fill('watch closed'));
});

test('backs off from a server that closes each watch at once', async () => {
  server.script('watch', quietClose);
  reflector.start();
  for (const delay of [400, 800, 1_600]) {
    await inState('Backoff');
    const watches = server.count('watch');
    await clock.advance(delay - 1);
    expect(server.count('watch')).toBe(watches);
    await clock.advance(1);
    await until(() => server.count('watch') === watches + 1);
  }
});

test('lives on bookmarks while nothing happens, and goes on from the last one', async () => {
  server.script('list', list('10', [pod('a', '3')]));
  const watch = await watching();
  for (const version of ['50', '90', '130']) {
    await clock.advance(100_000);
    watch.bookmark(version);
    await until(() => reflector.store.resourceVersion === version);
  }
  expect(server.count('watch')).toBe(1);
  watch.end();
  expect((await server.nthWatch(2)).exchange.query['resourceVersion']).toBe('130');
});

test('gives up a watch over which no byte comes for 150 s', async () => {
  await watching();
  await clock.advance(149_999);
  expect(server.count('watch')).toBe(1);
  await clock.advance(1);
  await inState('Backoff');
  await clock.advance(400);
  await server.nthWatch(2);
  expect(seen).toEqual(['watch silent']);
});

test('survives listeners, indexes and transforms that throw', async () => {
  await reflector.stop();
  reflector = new Reflector<Pod>({
    client,
    resource: PODS,
    indexes: {
      bad: () => {
        throw new Error('index');
      },
    },
    transform: (object) => {
      if (object.metadata.name === 'b') throw new Error('transform');
      return object;
    },
  });
  reflector.store.onChange(() => {
    throw new Error('listener');
  });
  server.script('list', list('10', [pod('a', '3'), pod('b', '4')]));
  const watch = await watching();
  watch.send('MODIFIED', pod('b', '11'));
  watch.send('DELETED', pod('a', '12'));
  await until(() => reflector.store.resourceVersion === '12');
  expect(reflector.store.keys()).toEqual(['ns/b']);
  expect(reflector.store.byIndex('bad', 'x')).toEqual([]);
  expect(server.count('watch')).toBe(1);
});

test.each(['Listing', 'Watching', 'Backoff'] as const)(
  'stops for good while %s, opening nothing more',
  async (state) => {
    if (state === 'Listing') server.script('list', hang);
    if (state === 'Backoff') server.script('watch', refuse(500, 'InternalError'));
    reflector.start();
    await inState(state);
    if (state !== 'Backoff') await until(() => server.exchanges.length > 0);
    await Promise.all([reflector.stop(), reflector.stop()]);
    const requests = server.exchanges.length;
    reflector.start();
    await clock.advance(600_000);
    expect(server.exchanges.length).toBe(requests);
    expect(reflector.status().state).toBe('Stopped');
    expect(await reflector.synced).toBe(state !== 'Listing');
  },
);

test('starting twice is starting once', async () => {
  reflector.start();
  reflector.start();
  await server.nthWatch(1);
  await settled();
  expect(server.exchanges.length).toBe(2);
});

test('stops before it was started', async () => {
  await reflector.stop();
  reflector.start();
  await settled();
  expect(server.exchanges).toEqual([]);
});

test('gives up a list that is never answered after 60 s, and tries again', async () => {
  server.script('list', hang, list('5', []));
  reflector.start();
  await until(() => server.count('list') === 1);
  await clock.advance(59_999);
  expect(reflector.status().state).toBe('Listing');
  await clock.advance(1);
  await inState('Backoff');
  expect(reflector.status().lastError).toContain('no answer within 60000 ms');
  await clock.advance(400);
  await inState('Watching');
});

test('gives up a watch whose opening is never answered', async () => {
  server.script('watch', hang, stayOpen(server));
  reflector.start();
  await until(() => server.count('watch') === 1);
  await clock.advance(30_000);
  await inState('Backoff');
  expect(reflector.status().lastError).toContain('no answer within 30000 ms');
  await clock.advance(400);
  await server.nthWatch(1);
});

test('never goes back in time: drops replayed events, keeps its place', async () => {
  server.script('list', list('10', [pod('a', '9')]));
  const watch = await watching();
  watch.send('MODIFIED', pod('a', '5'));
  watch.send('ADDED', pod('ghost', '4'));
  watch.send('DELETED', pod('a', '6'));
  watch.send('MODIFIED', pod('a', '11'));
  await until(() => reflector.store.get('ns/a')?.metadata.resourceVersion === '11');
  expect(reflector.store.keys()).toEqual(['ns/a']);
  expect(seen).toEqual(Array<string>(3).fill('dropped stale'));
  watch.reset();
  await inState('Backoff');
  await clock.advance(400);
  expect((await server.nthWatch(2)).exchange.query['resourceVersion']).toBe('11');
});

test('asks for a list that is not older than what it saw, and in the end believes that history went back', async () => {
  const old = list('5', [pod('b', '4')]);
  server.script('list', list('100', [pod('a', '50')]), old);
  (await watching()).bookmark('7');
  await inState('Backoff');
  await until(
    async () => {
      await clock.advance(100);
      return reflector.status().state === 'Watching';
    },
    { interval: 0 },
  );
  expect(reflector.store.keys()).toEqual(['ns/b']);
  expect(reflector.store.resourceVersion).toBe('5');
  const lists = server.exchanges.filter((it) => it.query['limit'] !== undefined);
  expect(lists.map((it) => it.query['resourceVersionMatch'])).toEqual([
    undefined,
    undefined,
    'NotOlderThan',
    'NotOlderThan',
    'NotOlderThan',
    'NotOlderThan',
    undefined,
  ]);
});

test('counts lines that are no events and puts split ones together', async () => {
  const watch = await watching();
  watch.raw('not json\n{"type":"ODD","object":{}}\nnull\n{"type":"ADDED","object":null}\n\n');
  const line = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: pod('ñandú', '12') })}\n`);
  const middle = line.indexOf('ñ') + 1;
  watch.raw(line.subarray(0, middle));
  await settled();
  watch.raw(line.subarray(middle));
  await until(() => reflector.store.get('ns/ñandú'));
  expect(seen).toEqual(Array<string>(4).fill('dropped unreadable'));
});

test('keeps no ballast, and what it keeps is frozen', async () => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', mine: '1' };
  server.script('list', list('10', [pod('a', '3', { managedFields: [{}], annotations })]));
  await watching();
  const kept = reflector.store.get('ns/a');
  expect(kept).toMatchObject({ apiVersion: 'v1', kind: 'Pod', metadata: { annotations: { mine: '1' } } });
  expect(kept?.metadata).not.toHaveProperty('managedFields');
  expect(kept?.metadata.annotations).toEqual({ mine: '1' });
  expect(Object.isFrozen(kept?.metadata.annotations)).toBe(true);
});

test('passes its selectors to lists and watches', async () => {
  await reflector.stop();
  reflector = new Reflector({
    client,
    resource: PODS,
    labelSelector: 'a=b',
    fieldSelector: 'metadata.name=x',
  });
  await watching();
  expect(server.exchanges.map((it) => it.path)).toEqual(['/api/v1/pods', '/api/v1/pods']);
  for (const { query } of server.exchanges) {
    expect(query).toMatchObject({ labelSelector: 'a=b', fieldSelector: 'metadata.name=x' });
  }
});

test('a reset in place of a list is a failed list', async () => {
  server.script('list', reset, list('5', []));
  reflector.start();
  await inState('Backoff');
  await clock.advance(400);
  await inState('Watching');
  expect(server.count('list')).toBe(2);
});
