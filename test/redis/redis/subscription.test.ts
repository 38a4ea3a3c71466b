import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRedis } from '../../../src/redis/open.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import type { RedisServer } from '../../lab/redis-server.ts';
import { until } from '../../support/until.ts';

let cluster: RedisCluster;
let redis: RedisRouter;

beforeAll(async () => {
  cluster = await startRedisCluster({ replicas: 0, password: 'secret' });
  redis = openRedis({ addrs: cluster.addrs, password: 'secret' }, { clock: systemClock, log: silentLogger });
});
afterAll(async () => {
  await redis?.close();
  await cluster?.stop();
});

function newChannel(): string {
  return `asynq:cancel:${randomUUID()}`;
}

async function subscribersOf(channel: string): Promise<RedisServer[]> {
  const counted = await Promise.all(
    cluster.nodes.map(async (node) => (await node.call('PUBSUB', 'NUMSUB', channel)) as [string, number]),
  );
  return cluster.nodes.filter((_, index) => (counted[index]?.[1] ?? 0) > 0);
}

test('a subscription that stands gets what any node is told', async () => {
  const channel = newChannel();
  const heard: string[] = [];
  const over = new AbortController();
  await redis.subscribe(channel, (message) => heard.push(message), over.signal);
  for (const node of cluster.nodes) await node.call('PUBLISH', channel, `from ${node.port}`);
  await redis.publish(channel, 'from the router: ñ 🦊');
  const expected = [...cluster.nodes.map(({ port }) => `from ${port}`), 'from the router: ñ 🦊'];
  await until(() => heard.length === expected.length);
  expect(heard.toSorted()).toEqual(expected.toSorted());
  over.abort();
});

test('it ends with its signal, and leaves no connection behind', async () => {
  const channel = newChannel();
  const over = new AbortController();
  await redis.subscribe(channel, () => {}, over.signal);
  expect(await subscribersOf(channel)).toHaveLength(1);
  over.abort();
  await until(async () => (await subscribersOf(channel)).length === 0);
});

test('a signal that was aborted before is no subscription', async () => {
  const channel = newChannel();
  await redis.subscribe(channel, () => {}, AbortSignal.abort());
  expect(await subscribersOf(channel)).toEqual([]);
});

test('it survives the restart of its node, and a listener that throws', async () => {
  const channel = newChannel();
  const heard: string[] = [];
  const over = new AbortController();
  const listener = (message: string) => {
    heard.push(message);
    throw new Error('a listener that throws');
  };
  await redis.subscribe(channel, listener, over.signal);
  await redis.publish(channel, 'first');
  await until(() => heard.length === 1);
  const [node] = await subscribersOf(channel);
  await node?.kill();
  await node?.start();
  await until(
    async () => {
      await redis.publish(channel, 'are you there?');
      return heard.length > 1;
    },
    { timeout: 15_000, what: 'a message after the restart' },
  );
  expect(await subscribersOf(channel)).toHaveLength(1);
  over.abort();
});

test('closing the router ends its subscriptions', async () => {
  const channel = newChannel();
  const other = openRedis(
    { addrs: cluster.addrs, password: 'secret' },
    { clock: systemClock, log: silentLogger },
  );
  await other.subscribe(channel, () => {}, new AbortController().signal);
  await other.close();
  await until(async () => (await subscribersOf(channel)).length === 0);
  await expect(other.subscribe(channel, () => {}, new AbortController().signal)).rejects.toMatchObject({
    code: 'ASYNQ_CLOSED',
  });
});
