import { afterEach, beforeEach, expect, test } from 'vitest';
import type { KubeClient } from '../../../src/kube/api.ts';
import { PODS, type Pod } from '../../../src/kube/resources.ts';
import type { WatchStream } from '../../../src/kube/watch.ts';
import { FakeApiServer, refuse } from '../../support/fake-api-server.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';
import { clientOf } from '../../support/kube-client.ts';
import { until } from '../../support/until.ts';

let server: FakeApiServer;
let clock: FakeClock;
let client: KubeClient;
let stop: AbortController;

beforeEach(async () => {
  server = await FakeApiServer.start();
  clock = new FakeClock();
  client = await clientOf(server.url, { clock });
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await until(() => clock.sleepers === 0 && server.openWatches.length === 0, { what: 'nothing left open' });
  await client.close();
  await server[Symbol.asyncDispose]();
});

function watch(): Promise<WatchStream<Pod>> {
  return client.watch(PODS, { resourceVersion: '1', signal: stop.signal });
}

test('ends without an error when its signal aborts, and when the server ends it', async () => {
  const stream = await watch();
  const opened = await server.nthWatch(1);
  opened.send('ADDED', { metadata: { name: 'a', resourceVersion: '2' } });
  expect((await stream.next()).value).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'a' } } });
  const second = await watch();
  (await server.nthWatch(2)).end();
  expect((await second.next()).done).toBe(true);
  const next = stream.next();
  stop.abort();
  expect((await next).done).toBe(true);
});

test('closes its connection when the reader leaves', async () => {
  const stream = await watch();
  (await server.nthWatch(1)).bookmark('5');
  for await (const event of stream) {
    expect(event).toEqual({ type: 'BOOKMARK', resourceVersion: '5' });
    break;
  }
  await until(() => server.openWatches.length === 0);
  expect(clock.sleepers).toBe(0);
});

test('does not open at all when its signal has aborted', async () => {
  stop.abort(new Error('too late'));
  await expect(watch()).rejects.toThrow('too late');
  await settled();
  expect(server.exchanges).toEqual([]);
});

test('tells how it broke', async () => {
  const stream = await watch();
  (await server.nthWatch(1)).reset();
  await expect(stream.next()).rejects.toMatchObject({ code: 'ASYNQ_KUBE_UNREACHABLE', status: 0 });
  server.script('watch', refuse(403, 'Forbidden'));
  await expect(watch()).rejects.toMatchObject({
    status: 403,
    message: expect.stringContaining('GET /api/v1/pods'),
  });
});

test('a stream without line ends is not read for ever', async () => {
  const stream = await watch();
  const opened = await server.nthWatch(1);
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  for (let n = 0; n < 17; n++) opened.raw(chunk);
  await expect(stream.next()).rejects.toThrow('expected an event a line');
});
