import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/runtime/logger.ts';
import type { HandlerFunction } from '../../../src/server/handler.ts';
import { Server } from '../../../src/server/server.ts';
import { Client } from '../../../src/tasks/client.ts';
import { clearQueueLimits, getQueueLimits, setQueueLimits } from '../../../src/tasks/queue-limits.ts';
import { Task } from '../../../src/tasks/task.ts';
import { GoPeer } from '../../support/go-peer.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';
import { HeldHandler } from '../../support/served-queue.ts';
import { until } from '../../support/until.ts';

const router = testRouter();
const raw = rawCluster();
const client = new Client(router);

/** How many handlers run, over all servers of a test. */
class Gauge {
  running = 0;
  most = 0;
  readonly startedAt: number[] = [];

  handler(ms: number): HandlerFunction {
    return async () => {
      this.startedAt.push(performance.now());
      this.running++;
      this.most = Math.max(this.most, this.running);
      await sleep(ms);
      this.running--;
    };
  }
}

describe('servers of a queue with limits', () => {
  let queue: string;
  const servers: Server[] = [];
  beforeEach(() => {
    queue = uniqueQueue('limits');
    return () => Promise.all(servers.splice(0).map((server) => server.shutdown()));
  });

  function serve(handler: HandlerFunction | HeldHandler, concurrency = 10, queues = [queue]): Server {
    const weights = Object.fromEntries(queues.map((name) => [name, 1]));
    const server = new Server(router, {
      queues: weights,
      concurrency,
      shutdownTimeout: 500,
      log: silentLogger,
    });
    servers.push(server);
    server.start(handler);
    return server;
  }

  async function enqueue(count: number, type = 'test:task', into = queue): Promise<void> {
    const tasks = Array.from({ length: count }, () => new Task(type, {}, { queue: into }));
    const results = await client.enqueueMany(tasks);
    expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
  }

  test('together run no more tasks at once than the limit, and leave no slot of it free for long', async () => {
    await setQueueLimits(router, queue, { concurrency: 3 });
    await enqueue(60);
    const gauge = new Gauge();
    const began = performance.now();
    for (let n = 0; n < 3; n++) serve(gauge.handler(20));
    await until(() => gauge.startedAt.length === 60);
    expect(gauge.most).toBe(3);
    // 60 tasks of 20 ms, three at a time, are 400 ms; a poll for each would be 5 s.
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  test('together start no more tasks a second than the limit, and no fewer', async () => {
    await setQueueLimits(router, queue, { ratePerSecond: 40 });
    await enqueue(90);
    const gauge = new Gauge();
    for (let n = 0; n < 3; n++) serve(gauge.handler(1));
    await until(() => gauge.startedAt.length === 90);
    const [first = 0, last = 0] = [gauge.startedAt[0], gauge.startedAt.at(-1)];
    // 90 = 1 + 40 * (t + 0.1): it takes 2.1 s at the least.
    expect(last - first).toBeGreaterThan(2_050);
    expect(last - first).toBeLessThan(5_000);
  });

  test('short handlers, of which more are held than run, keep to both limits too', async () => {
    await enqueue(600);
    let handled = 0;
    const server = serve(() => void handled++, 2);
    await until(() => handled === 600);
    await setQueueLimits(router, queue, { concurrency: 5, ratePerSecond: 100 });
    const began = performance.now();
    await enqueue(110);
    await until(() => handled === 710);
    expect(performance.now() - began).toBeGreaterThan(950);
    await server.shutdown();
  });

  test('take the tasks of their other queues as fast as ever', async () => {
    const [other, full] = [uniqueQueue('other'), uniqueQueue('full')];
    await setQueueLimits(router, queue, { ratePerSecond: 0.5 });
    await setQueueLimits(router, full, { concurrency: 1 });
    await enqueue(50);
    await enqueue(50, 'test:held', full);
    const held = new HeldHandler();
    let handled = 0;
    let limited = 0;
    serve(
      async (task, context) => {
        if (task.type === 'test:held') await held.processTask(task, context);
        else if (task.type === 'test:other') handled++;
        else limited++;
      },
      4,
      [queue, full, other],
    );
    await until(() => held.running.length === 1 && limited === 1);
    const began = performance.now();
    await enqueue(2_000, 'test:other', other);
    await until(() => handled === 2_000);
    const took = performance.now() - began;
    expect(took).toBeLessThan(3_000);
    expect(limited).toBeLessThanOrEqual(1 + 0.5 * (took / 1_000 + 1));
    expect(held.mostAtOnce).toBe(1);
    held.running[0]?.end();
  });

  test('see within a second that a limit was set, raised or taken away', async () => {
    expect(await getQueueLimits(router, queue)).toBeUndefined();
    await setQueueLimits(router, queue, { concurrency: 1 });
    await enqueue(20);
    const held = new HeldHandler();
    serve(held);
    await until(() => held.running.length === 1);
    await setQueueLimits(router, queue, { concurrency: 4 });
    expect(await getQueueLimits(router, queue)).toEqual({ concurrency: 4 });
    await until(() => held.running.length === 4, { timeout: 2_000 });
    await clearQueueLimits(router, queue);
    await until(() => held.running.length === 10, { timeout: 2_000 });
    expect(await getQueueLimits(router, queue)).toBeUndefined();
    while (held.running.length > 0) await held.endAll();
  });

  test('do not wait for the next start of a rate that is no more', async () => {
    await setQueueLimits(router, queue, { ratePerSecond: 0.001 });
    await enqueue(5);
    const gauge = new Gauge();
    serve(gauge.handler(1));
    await until(() => gauge.startedAt.length === 1);
    await setQueueLimits(router, queue, { ratePerSecond: 50 });
    await until(() => gauge.startedAt.length === 5, { timeout: 3_000 });
  });

  test('count what a Go server runs, which itself keeps to no limit', async () => {
    const peer = await GoPeer.on({ ...testCluster(), cluster: true });
    await enqueue(4, 'hang:it');
    await setQueueLimits(router, queue, { concurrency: 6 });
    await using go = await peer.serve({ queues: { [queue]: 1 }, concurrency: 4 });
    const active = `asynq:{${queue}}:active`;
    await until(async () => (await raw.llen(active)) === 4);
    await enqueue(20);
    const held = new HeldHandler();
    serve(held);
    await until(() => held.running.length === 2);
    expect(await raw.llen(active)).toBe(6);
    await held.endFirst();
    await until(() => held.running.length === 2);
    expect(held.mostAtOnce).toBe(2);
    expect(go.processed).toEqual([]);
    for (const id of await raw.lrange(active, 0, -1)) await raw.publish('asynq:cancel', id);
  });
});

describe('limits', () => {
  test.each([
    [{}, 'got neither'],
    [{ concurrency: 0 }, 'concurrency: expected a whole number from 1 to 1000000, got 0'],
    [{ concurrency: 1.5 }, 'got 1.5'],
    [{ ratePerSecond: 0 }, 'ratePerSecond: expected a number from 0.001 to 1000000, got 0'],
    [{ ratePerSecond: Number.NaN }, 'got NaN'],
  ])('%j are refused', async (limits, message) => {
    const refused = setQueueLimits(router, uniqueQueue(), limits);
    await expect(refused).rejects.toMatchObject({
      code: 'ASYNQ_OPTION_INVALID',
      message: expect.stringContaining(message),
    });
  });

  test('can be set over a connection for the one call', async () => {
    const queue = uniqueQueue();
    await setQueueLimits(testCluster(), queue, { concurrency: 7, ratePerSecond: 0.25 });
    expect(await getQueueLimits(testCluster(), queue)).toEqual({ concurrency: 7, ratePerSecond: 0.25 });
    await clearQueueLimits(testCluster(), queue);
    expect(await getQueueLimits(testCluster(), queue)).toBeUndefined();
  });
});
