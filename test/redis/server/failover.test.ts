import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Server } from '../../../src/server/server.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import { until } from '../../support/until.ts';

describe('a server in a cluster whose masters change', () => {
  let cluster: RedisCluster;
  let client: Client;
  beforeAll(async () => {
    cluster = await startRedisCluster();
    client = new Client({ addrs: cluster.addrs }, { log: silentLogger });
  });
  afterAll(async () => {
    await client.close();
    await cluster.stop();
  });

  async function enqueue(queue: string, count: number): Promise<string[]> {
    const tasks = Array.from({ length: count }, () => new Task('work', null, { queue }));
    const results = await client.enqueueMany(tasks);
    return results.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value.id;
    });
  }

  const owner = (queue: string) => cluster.masterOfKey(`asynq:{${queue}}:pending`);

  test('handles every task although the master of its queue hands over in the middle', async () => {
    const queue = 'handed-over';
    const ids = await enqueue(queue, 2_000);
    const handled = new Map<string, number>();
    const server = new Server(
      { addrs: cluster.addrs },
      { concurrency: 20, queues: { [queue]: 1 }, log: silentLogger },
    );
    server.start(async (_, { taskId }) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      handled.set(taskId, (handled.get(taskId) ?? 0) + 1);
    });
    try {
      await until(() => handled.size > 200);
      await cluster.failover(await owner(queue));
      await until(() => handled.size === ids.length);
      const redis = await owner(queue);
      const count = async (command: string, key: string) =>
        Number(await redis.call(command, `asynq:{${queue}}:${key}`));
      await until(async () => (await count('LLEN', 'active')) === 0);
      expect(await count('LLEN', 'pending')).toBe(0);
      expect(await count('ZCARD', 'lease')).toBe(0);
      expect([...handled.keys()].toSorted()).toEqual(ids.toSorted());
    } finally {
      await server.shutdown();
    }
  });

  test('goes on with its other queues while the master of one is down', async () => {
    const dead = 'on-a-dead-master';
    const names = Array.from({ length: 50 }, (_, n) => `alive-${n}`);
    const down = await owner(dead);
    const owners = await Promise.all(names.map(owner));
    const alive = names[owners.findIndex((other) => other !== down)] ?? '';
    const handled: string[] = [];
    const server = new Server(
      { addrs: cluster.addrs },
      {
        concurrency: 4,
        queues: { [dead]: 1, [alive]: 1 },
        taskCheckInterval: 100,
        shutdownTimeout: 500,
        log: silentLogger,
      },
    );
    server.start((_, { taskId }) => handled.push(taskId));
    try {
      down.pause();
      const ids: string[] = [];
      for (let round = 0; round < 5; round++) ids.push(...(await enqueue(alive, 20)));
      await until(() => handled.length === ids.length);
      expect(handled.toSorted()).toEqual(ids.toSorted());
    } finally {
      down.resume();
      await server.shutdown();
    }
  });
});
