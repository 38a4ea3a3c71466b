import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RedisBroker } from '../../../src/broker/redis-broker.ts';
import { openRedis } from '../../../src/redis/open.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { type Clock, systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import type { ServerConfig } from '../../../src/server/config.ts';
import type { Handler, HandlerFunction } from '../../../src/server/handler.ts';
import { revokeTask, skipRetry } from '../../../src/server/outcome.ts';
import { Server } from '../../../src/server/server.ts';
import { Client } from '../../../src/tasks/client.ts';
import type { TaskOptions } from '../../../src/tasks/options.ts';
import { Task } from '../../../src/tasks/task.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { HeldHandler } from '../../support/served-queue.ts';
import { until } from '../../support/until.ts';

const raw = rawCluster();

/** The system's clock, set ahead: leases that others took have ended for it. */
function ahead(ms: number): Clock {
  return { ...systemClock, now: () => Date.now() + ms };
}

describe('a server on a Redis Cluster', () => {
  let router: RedisRouter;
  let client: Client;
  let queue: string;
  const servers: Server[] = [];
  beforeAll(() => {
    router = openRedis(testCluster(), { clock: systemClock, log: silentLogger });
    client = new Client(router);
  });
  beforeEach(() => {
    queue = uniqueQueue('server');
    return () => Promise.all(servers.splice(0).map((server) => server.shutdown()));
  });
  afterAll(() => router.close());

  function serve(handler: Handler | HandlerFunction, config: ServerConfig = {}): Server {
    const server = new Server(router, {
      queues: { [queue]: 1 },
      concurrency: 10,
      shutdownTimeout: 500,
      log: silentLogger,
      ...config,
    });
    servers.push(server);
    server.start(handler);
    return server;
  }

  async function enqueue(count: number, options: TaskOptions = {}): Promise<string[]> {
    const tasks = Array.from(
      { length: count },
      (_, n) => new Task('test:task', { n }, { queue, ...options }),
    );
    const results = await client.enqueueMany(tasks);
    return results.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value.id;
    });
  }

  const stateOf = (id: string, inQueue = queue) => raw.hget(`asynq:{${inQueue}}:t:${id}`, 'state');
  const key = (name: string) => `asynq:{${queue}}:${name}`;

  /** Active tasks and leases that are left. */
  async function leftovers(): Promise<number> {
    return (await raw.llen(key('active'))) + (await raw.zcard(key('lease')));
  }

  test('handles the tasks of all its queues once, whatever their names', async () => {
    const names = [queue, uniqueQueue('imágenes'), uniqueQueue('a b,c:d'), uniqueQueue('🦊{x}')];
    const ids = new Set<string>();
    for (const name of names) for (const id of await enqueue(50, { queue: name })) ids.add(id);
    const handled: string[] = [];
    serve(
      async (task, { taskId }) => {
        await new Promise((resolve) => setTimeout(resolve, task.payload.getInt('n') % 3));
        handled.push(taskId);
      },
      { queues: Object.fromEntries(names.map((name, index) => [name, index + 1])) },
    );
    await until(() => handled.length >= 200);
    await until(async () => (await leftovers()) === 0);
    expect(new Set(handled)).toEqual(ids);
    expect(handled).toHaveLength(200);
    expect(await raw.get(key('processed'))).toBe('50');
    expect(await raw.get(key('failed'))).toBeNull();
  });

  test('many servers share a queue, and each task is handled once', async () => {
    const ids = await enqueue(500);
    const handled: string[] = [];
    for (let server = 0; server < 3; server++) {
      serve(
        (_, { taskId }) =>
          new Promise<void>((resolve) => setImmediate(() => resolve(void handled.push(taskId)))),
      );
    }
    await until(() => handled.length >= 500);
    await until(async () => (await leftovers()) === 0);
    expect(handled.toSorted()).toEqual(ids.toSorted());
  });

  test('consumes only its own queues', async () => {
    const other = uniqueQueue('other');
    const [id = ''] = await enqueue(1, { queue: other });
    const [mine = ''] = await enqueue(1);
    serve(() => {});
    await until(async () => (await stateOf(mine)) === null);
    expect(await stateOf(id, other)).toBe('pending');
  });

  test('writes retries, archived, revoked and completed tasks as asynq does', async () => {
    const [retry = ''] = await enqueue(1, { maxRetry: 3 });
    const [last = ''] = await enqueue(1, { maxRetry: 0 });
    const [skip = ''] = await enqueue(1);
    const [revoke = ''] = await enqueue(1, { retentionSeconds: 3_600 });
    const [kept = ''] = await enqueue(1, { retentionSeconds: 3_600 });
    const before = Math.floor(Date.now() / 1000);
    serve(
      async (_, context) => {
        if (context.taskId === retry || context.taskId === last) throw new Error('no route');
        if (context.taskId === skip) throw skipRetry('bad address');
        if (context.taskId === revoke) throw revokeTask();
        await context.writeResult('done well');
      },
      { random: () => 0 },
    );
    await until(async () => (await raw.get(key('processed'))) === '5');
    await until(async () => (await leftovers()) === 0);
    expect(await Promise.all([retry, last, skip, revoke, kept].map((id) => stateOf(id)))).toEqual([
      'retry',
      'archived',
      'archived',
      null,
      'completed',
    ]);
    const retryAt = Number(await raw.zscore(key('retry'), retry));
    expect(retryAt - before).toBeGreaterThanOrEqual(15);
    expect(retryAt - before).toBeLessThanOrEqual(20);
    expect(await raw.hget(key(`t:${kept}`), 'result')).toBe('done well');
    expect(await raw.get(key('failed'))).toBe('3');
  });

  test('runs a retried task again when it is due', async () => {
    const [id = ''] = await enqueue(1);
    const attempts: number[] = [];
    serve(
      (_, { retried }) => {
        attempts.push(retried);
        if (retried < 2) throw new Error('not yet');
      },
      { retryDelay: () => 0, taskCheckInterval: 100 },
    );
    await until(() => attempts.length === 3);
    expect(attempts).toEqual([0, 1, 2]);
    await until(async () => (await stateOf(id)) === null);
  });

  test('takes a task from an empty queue as soon as it comes, although it looks at it much more seldom', async () => {
    const started = new Map<string, number>();
    serve((_, { taskId }) => void started.set(taskId, performance.now()), { taskCheckInterval: 60_000 });
    const waiters = `asynq-operator:{${queue}}:waiters`;
    await until(async () => (await raw.zcard(waiters)) === 1);
    const waits: number[] = [];
    for (let n = 0; n < 20; n++) {
      const sent = performance.now();
      const [id = ''] = await enqueue(1);
      waits.push((await until(() => started.get(id), { interval: 1 })) - sent);
      await until(async () => (await leftovers()) === 0);
    }
    expect(waits.toSorted((a, b) => a - b)[10]).toBeLessThan(250);
  });

  test('starts scheduled tasks in their second, although it looks at its queue much more seldom', async () => {
    const started: number[] = [];
    serve(() => void started.push(Date.now()), { taskCheckInterval: 60_000 });
    const processAt = (Math.floor(Date.now() / 1000) + 3) * 1000;
    await enqueue(5, { processAt: new Date(processAt) });
    await until(() => started.length === 5);
    for (const at of started) {
      expect(at).toBeGreaterThanOrEqual(processAt);
      expect(at).toBeLessThan(processAt + 2_000);
    }
  });

  test('leaves a paused queue alone', async () => {
    await raw.set(key('paused'), String(Math.floor(Date.now() / 1000)));
    const [id = ''] = await enqueue(1);
    serve(() => {}, { taskCheckInterval: 20 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await stateOf(id)).toBe('pending');
    await raw.del(key('paused'));
    await until(async () => (await stateOf(id)) === null);
  });

  test('cancels a running task on request', async () => {
    const handler = new HeldHandler();
    const [id = ''] = await enqueue(1);
    serve(handler);
    await until(() => handler.running.length === 1);
    await until(async () => {
      await raw.publish('asynq:cancel', id);
      return handler.running[0]?.signal.aborted;
    });
    expect(await stateOf(id)).toBe('active');
    await handler.endFirst();
    await until(async () => (await stateOf(id)) === 'retry');
  });

  test('sets a message aside that it cannot read, and goes on', async () => {
    const bad = 'unreadable';
    await raw.hset(key(`t:${bad}`), 'msg', Buffer.from([0xff, 0xff]), 'state', 'pending');
    await raw.lpush(key('pending'), bad);
    const [good = ''] = await enqueue(1);
    serve(() => {});
    await until(async () => (await stateOf(good)) === null);
    await until(async () => (await stateOf(bad)) === 'archived');
    await until(async () => (await leftovers()) === 0);
  });

  test('gives back what runs when a shutdown cannot wait: next in line, in their order', async () => {
    const handler = new HeldHandler();
    const running = await enqueue(3);
    const server = serve(handler, { concurrency: 3, shutdownTimeout: 100 });
    await until(() => handler.running.length === 3);
    const [later = ''] = await enqueue(1);
    await server.shutdown();
    expect(handler.running[0]?.signal.reason).toMatchObject({ code: 'ASYNQ_CLOSED' });
    expect(await raw.lrange(key('pending'), '0', '-1')).toEqual([later, ...running.toReversed()]);
    expect(await leftovers()).toBe(0);
  });

  test('brings back the tasks of a server that died', async () => {
    const [id = ''] = await enqueue(1);
    const dead = new RedisBroker({ router, clock: systemClock, log: silentLogger });
    await dead.dequeue(queue, 1);
    const retried: number[] = [];
    serve((_, context) => void retried.push(context.retried), {
      clock: ahead(61_000),
      retryDelay: () => 0,
      taskCheckInterval: 100,
    });
    await until(() => retried.length === 1);
    expect(retried).toEqual([1]);
    await until(async () => (await stateOf(id)) === null);
  });

  test('brings them back sooner where leases are short', async () => {
    await enqueue(1);
    const dead = new RedisBroker({ router, clock: systemClock, log: silentLogger, leaseSeconds: 5 });
    await dead.dequeue(queue, 1);
    const handled: string[] = [];
    serve((_, { taskId }) => handled.push(taskId), {
      clock: ahead(12_000),
      leaseDuration: 5_000,
      retryDelay: () => 0,
    });
    await until(() => handled.length === 1, { timeout: 5_000 });
  });

  test('announces itself where asynq looks, and takes that back', async () => {
    const handler = new HeldHandler();
    await enqueue(1);
    const server = serve(handler, { host: queue });
    const mine = async () =>
      (await raw.zrange('asynq:servers', '0', '-1')).filter((name) => name.includes(queue));
    await until(() => handler.running.length === 1);
    const [name = ''] = await until(async () => {
      const names = await mine();
      return names.length === 1 && names;
    });
    expect(name).toMatch(new RegExp(`^asynq:servers:\\{${queue}:${process.pid}:[0-9a-f-]{36}\\}$`));
    expect(await raw.ttl(name)).toBeGreaterThan(5);
    await handler.endFirst();
    await server.shutdown();
    expect(await mine()).toEqual([]);
    expect(await raw.exists(name)).toBe(0);
  });
});
