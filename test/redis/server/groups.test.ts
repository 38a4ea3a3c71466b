import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openRedis } from '../../../src/redis/open.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import type { ServerConfig } from '../../../src/server/config.ts';
import type { HandlerFunction } from '../../../src/server/handler.ts';
import { Server } from '../../../src/server/server.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const raw = rawCluster();

describe('servers on a Redis Cluster', () => {
  let router: RedisRouter;
  let client: Client;
  let queue: string;
  const servers: Server[] = [];
  beforeAll(() => {
    router = openRedis(testCluster(), { clock: systemClock, log: silentLogger });
    client = new Client(router);
  });
  beforeEach(() => {
    queue = uniqueQueue('groups');
    return () => Promise.all(servers.splice(0).map((server) => server.shutdown()));
  });
  afterAll(() => router.close());

  function serve(handler: HandlerFunction, config: ServerConfig = {}): Server {
    const server = new Server(router, {
      queues: { [queue]: 1 },
      shutdownTimeout: 500,
      log: silentLogger,
      ...config,
    });
    servers.push(server);
    server.start(handler);
    return server;
  }

  const key = (name: string) => `asynq:{${queue}}:${name}`;

  test('make each grouped task part of one aggregate, whatever goes wrong', async () => {
    const members = Array.from({ length: 600 }, (_, n) => `${n % 20}:${n}`);
    const handled: string[] = [];
    let failures = 0;
    const config: ServerConfig = {
      groupMaxSize: 7,
      groupGracePeriod: 1_000,
      groupAggregator: async (group, tasks) => {
        if (Math.random() < 0.1 && failures++ < 10) throw new Error('a bug');
        await new Promise((resolve) => setImmediate(resolve));
        const names = tasks.map((task) => task.payload.getString('name'));
        expect(names.every((name) => name.startsWith(`${group}:`))).toBe(true);
        return new Task('all', { names });
      },
    };
    for (let server = 0; server < 3; server++) {
      serve((task) => {
        const names = task.payload.getStringSlice('names');
        expect(names.length).toBeLessThanOrEqual(7);
        handled.push(...names);
      }, config);
    }
    const tasks = members.map(
      (name) => new Task('part', { name }, { queue, group: name.split(':')[0] ?? '' }),
    );
    const results = await client.enqueueMany(tasks);
    expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
    await until(() => handled.length >= members.length, { timeout: 30_000 });
    expect(handled.toSorted()).toEqual(members.toSorted());
    expect(await raw.exists(key('groups'), key('aggregation_sets'))).toBe(0);
    const ids = results.map((result) => (result.status === 'fulfilled' ? result.value.id : ''));
    expect(await raw.exists(...ids.map((id) => key(`t:${id}`)))).toBe(0);
  });

  test('work on queues that come while they run, and no more on those that go', async () => {
    const [first, second] = [queue, uniqueQueue('groups')];
    const handled: string[] = [];
    const server = serve((task) => handled.push(task.type), { taskCheckInterval: 100 });
    const enqueue = (type: string, to: string) => client.enqueue(new Task(type), { queue: to });
    const later = await client.enqueue(new Task('later'), { queue: second, processInSeconds: 2 });
    await enqueue('a', first);
    await enqueue('b', second);
    await until(() => handled.includes('a'));
    server.addQueue(second);
    await until(() => handled.includes('b') && handled.includes('later'));
    expect(await raw.exists(`asynq:{${second}}:t:${later.id}`)).toBe(0);
    expect(server.removeQueue(first)).toBe(true);
    const { id } = await enqueue('c', first);
    await enqueue('d', second);
    await until(() => handled.includes('d'));
    expect(await raw.hget(key(`t:${id}`), 'state')).toBe('pending');
    expect(handled.toSorted()).toEqual(['a', 'b', 'd', 'later']);
  });
});
