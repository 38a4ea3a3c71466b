import { afterEach, beforeEach, expect, test } from 'vitest';
import type { KubeClient } from '../../../src/kube/api.ts';
import { cutToBytes, type EventFacts } from '../../../src/kube/event-series.ts';
import { EventRecorder } from '../../../src/kube/events.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { FakeApiServer, hang, json, refuse, reset } from '../../support/fake-api-server.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';
import { clientOf } from '../../support/kube-client.ts';
import { until } from '../../support/until.ts';

const DEPLOYMENT: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace: 'ns', name: 'web', uid: 'u-1', resourceVersion: '7' },
};

let server: FakeApiServer;
let clock: FakeClock;
let client: KubeClient;
let recorder: EventRecorder;
let dropped: string[];

beforeEach(async () => {
  server = await FakeApiServer.start();
  server.script('other', json({ metadata: { name: 'event' } }));
  clock = new FakeClock();
  dropped = [];
  client = await clientOf(server.url, {
    clock,
    observer: { eventDropped: ({ reason }) => dropped.push(reason) },
  });
  recorder = new EventRecorder({ client, controller: 'asynq.dev/operator', instance: 'pod-1' });
});

afterEach(async () => {
  const stopped = recorder.stop();
  await clock.advance(2_000);
  await stopped;
  await until(() => clock.sleepers === 0, { what: 'no sleep that outlives stop' });
  await client.close();
  await server[Symbol.asyncDispose]();
});

function scaled(note = 'from 0 to 3'): EventFacts {
  return { type: 'Normal', reason: 'ScaledUp', action: 'Scale', note };
}

async function requests(count: number): Promise<void> {
  await until(() => server.exchanges.length >= count, { what: `${count} requests` });
  await settled();
}

test('writes an event with all that events.k8s.io/v1 wants', async () => {
  recorder.record(DEPLOYMENT, scaled());
  await requests(1);
  const [request] = server.exchanges;
  expect(request).toMatchObject({ method: 'POST', path: '/apis/events.k8s.io/v1/namespaces/ns/events' });
  expect(request?.body).toEqual({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { namespace: 'ns', name: expect.stringMatching(/^web\.[0-9a-f]+$/) },
    eventTime: '2023-11-14T22:13:20.000000Z',
    type: 'Normal',
    reason: 'ScaledUp',
    action: 'Scale',
    note: 'from 0 to 3',
    reportingController: 'asynq.dev/operator',
    reportingInstance: 'pod-1',
    regarding: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: 'ns',
      name: 'web',
      uid: 'u-1',
      resourceVersion: '7',
    },
  });
});

test('events about what lives in no namespace go to default', async () => {
  recorder.record({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } }, scaled());
  await requests(1);
  expect(server.exchanges[0]?.path).toBe('/apis/events.k8s.io/v1/namespaces/default/events');
});

test('the same event again raises the count, many times in one write', async () => {
  recorder.record(DEPLOYMENT, scaled());
  await requests(1);
  for (let n = 0; n < 50; n++) recorder.record(DEPLOYMENT, scaled());
  await clock.advance(9_999);
  expect(server.exchanges.length).toBe(1);
  await clock.advance(1);
  await requests(2);
  expect(server.exchanges[1]).toMatchObject({
    method: 'PATCH',
    body: { series: { count: 51, lastObservedTime: '2023-11-14T22:13:20.000000Z' } },
  });
  recorder.record(DEPLOYMENT, scaled());
  await clock.advance(59_999);
  expect(server.exchanges.length).toBe(2);
  await clock.advance(1);
  await requests(3);
  expect(server.exchanges[2]?.body).toMatchObject({ series: { count: 52 } });
});

test('another note is another event, and so is the same one after six quiet minutes', async () => {
  recorder.record(DEPLOYMENT, scaled('from 0 to 3'));
  recorder.record(DEPLOYMENT, scaled('from 3 to 5'));
  await requests(2);
  await clock.advance(360_000);
  recorder.record(DEPLOYMENT, scaled('from 0 to 3'));
  await requests(3);
  expect(server.exchanges.map((it) => it.method)).toEqual(['POST', 'POST', 'POST']);
  const names = server.exchanges.map((it) => (it.body as KubeObject).metadata.name);
  expect(new Set(names).size).toBe(3);
});

test('an object about which too much is said falls silent, and no other', async () => {
  for (let n = 0; n < 40; n++) recorder.record(DEPLOYMENT, scaled(`note ${n}`));
  recorder.record({ ...DEPLOYMENT, metadata: { ...DEPLOYMENT.metadata, name: 'other' } }, scaled());
  await requests(26);
  expect(server.exchanges.length).toBe(26);
  expect(dropped).toEqual(Array<string>(15).fill('spam'));
  await clock.advance(300_000);
  recorder.record(DEPLOYMENT, scaled('after five minutes'));
  await requests(27);
});

test('a server that fails is tried again; an event whose first answer was lost is not written twice', async () => {
  server.script(
    'other',
    refuse(503, 'Busy', {}, { 'retry-after': '2' }),
    reset,
    refuse(409, 'AlreadyExists'),
    json({}),
  );
  recorder.record(DEPLOYMENT, scaled());
  await until(
    async () => {
      await clock.advance(100);
      return server.exchanges.length === 3;
    },
    { interval: 0 },
  );
  const names = server.exchanges.map((it) => (it.body as KubeObject).metadata.name);
  expect(new Set(names).size).toBe(1);
  recorder.record(DEPLOYMENT, scaled());
  await clock.advance(10_000);
  await requests(4);
  expect(server.exchanges[3]?.method).toBe('PATCH');
  expect(dropped).toEqual([]);
});

test('an event that the server has forgotten is written anew, with its count', async () => {
  server.script('other', json({}), refuse(404, 'NotFound'), json({}));
  recorder.record(DEPLOYMENT, scaled());
  await requests(1);
  recorder.record(DEPLOYMENT, scaled());
  await clock.advance(10_000);
  await requests(3);
  expect(server.exchanges.map((it) => it.method)).toEqual(['POST', 'PATCH', 'POST']);
  expect(server.exchanges[2]?.body).toMatchObject({ series: { count: 2 } });
});

test.each([400, 403, 404, 422])(
  'what the server will never take (%i) is dropped, counted, and not tried again',
  async (code) => {
    server.script('other', refuse(code, 'No'));
    recorder.record(DEPLOYMENT, scaled());
    await until(() => dropped.length > 0);
    await clock.advance(60_000);
    expect(dropped).toEqual(['refused']);
    expect(server.exchanges.length).toBe(1);
  },
);

test('gives up on a server that never recovers', async () => {
  server.script('other', refuse(500, 'InternalError'));
  recorder.record(DEPLOYMENT, scaled());
  await until(
    async () => {
      await clock.advance(500);
      return dropped.length > 0;
    },
    { interval: 0 },
  );
  expect(dropped).toEqual(['failed']);
});

test('recording never waits, whatever the server does', async () => {
  server.script('other', hang);
  for (let n = 0; n < 20; n++) recorder.record(DEPLOYMENT, scaled(`note ${n}`));
  await requests(1);
  expect(dropped).toEqual([]);
});

test('stop writes what is left, counts included, and takes nothing more', async () => {
  recorder.record(DEPLOYMENT, scaled());
  await requests(1);
  recorder.record(DEPLOYMENT, scaled());
  recorder.record(DEPLOYMENT, scaled('last words'));
  await recorder.stop();
  recorder.record(DEPLOYMENT, scaled('too late'));
  await settled();
  expect(server.exchanges.map((it) => it.method)).toEqual(['POST', 'POST', 'PATCH']);
  expect(server.exchanges.at(-1)?.body).toMatchObject({ series: { count: 2 } });
});

test('stop does not hang on a server that does', async () => {
  server.script('other', hang);
  recorder.record(DEPLOYMENT, scaled());
  recorder.record(DEPLOYMENT, scaled('another'));
  await requests(1);
  const stopped = recorder.stop();
  await clock.advance(2_000);
  await stopped;
  expect(dropped).toEqual(['failed', 'failed']);
});

test('long names are cut to what a name may be', async () => {
  const name = `${'a'.repeat(230)}-${'b'.repeat(20)}`;
  recorder.record({ ...DEPLOYMENT, metadata: { namespace: 'ns', name } }, scaled());
  await requests(1);
  const written = server.exchanges.map((it) => (it.body as KubeObject).metadata.name).join();
  expect(written.length).toBeLessThanOrEqual(253);
  expect(written).toMatch(/^[a-z0-9-]*[a-z0-9]\.[0-9a-f]+$/);
});

test('cuts long notes between characters', () => {
  expect(cutToBytes('short', 10)).toBe('short');
  expect(cutToBytes('x'.repeat(11), 10)).toBe('xxxxxxx...');
  expect(cutToBytes('áéíóúáéí', 10)).toBe('áéí...');
  expect(Buffer.byteLength(cutToBytes('🦊'.repeat(400), 1024))).toBeLessThanOrEqual(1024);
});
