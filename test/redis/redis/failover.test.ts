import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openRedis } from '../../../src/redis/open.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { keySlot } from '../../../src/redis/slots.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { type NodeLine, owns } from '../../lab/cluster-nodes.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import type { RedisServer } from '../../lab/redis-server.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { scriptOf } from '../../support/script-of.ts';
import { Traffic } from '../../support/traffic.ts';
import { until } from '../../support/until.ts';

let cluster: RedisCluster;
let redis: RedisRouter;
const log = new RecordingLogger();

/** Keys in the slots of all three masters. */
const keys = Array.from({ length: 30 }, (_, n) => `asynq:{failover-${n}}:count`);
const answer = scriptOf("return 'an answer'");

beforeAll(async () => {
  cluster = await startRedisCluster({
    nodeTimeout: 1_500,
    password: 'secret',
    config: { appendonly: 'yes' },
  });
  redis = openRedis({ addrs: cluster.addrs, password: 'secret' }, { clock: systemClock, log });
});
afterEach(async () => {
  for (const node of cluster.nodes) {
    node.resume();
    await node.start();
  }
  await cluster.whole();
});
afterAll(async () => {
  await redis?.close();
  await cluster?.stop();
});

async function victim(): Promise<RedisServer> {
  return cluster.masterOfKey(keys[0] ?? '');
}

async function keysOf(master: RedisServer): Promise<string[]> {
  const line = (await cluster.clusterNodes()).find(({ addr }) => addr === master.addr);
  return keys.filter((key) => line !== undefined && owns(line, keySlot(key)));
}

function identity(line: NodeLine | undefined): object {
  return { id: line?.id, addr: line?.addr };
}

/** What `redis-cli` says about the key, in the words of the router. */
async function asRedisSaysIt(key: string): Promise<unknown> {
  const slot = await cluster.keyslot(key);
  const lines = await cluster.clusterNodes();
  const master = lines.find((line) => owns(line, slot));
  const replicas = lines
    .filter(({ masterId, flags }) => masterId === master?.id && !flags.has('fail'))
    .toSorted((a, b) => (a.addr < b.addr ? -1 : 1));
  return {
    slot,
    master: identity(master),
    replicas: replicas.map(identity),
  };
}

test('a location is what redis-cli says, before and after a failover', async () => {
  for (const key of keys.slice(0, 8)) expect(await redis.locate(key)).toEqual(await asRedisSaysIt(key));
  await cluster.failover(await victim());
  await cluster.whole();
  const fresh = openRedis({ addrs: cluster.addrs, password: 'secret' }, { clock: systemClock, log });
  for (const key of keys.slice(0, 8)) expect(await fresh.locate(key)).toEqual(await asRedisSaysIt(key));
  await fresh.close();
  await until(async () => {
    await redis.command(keys[0] ?? '', 'GET', [keys[0] ?? '']); // whoever works there learns of it
    for (const key of keys.slice(0, 8)) expect(await redis.locate(key)).toEqual(await asRedisSaysIt(key));
    return true;
  });
});

test('a failover that nodes agree on fails no call', async () => {
  const traffic = new Traffic(redis, keys);
  await traffic.more();
  await cluster.failover(await victim());
  await traffic.more();
  expect(await traffic.stop()).toEqual([]);
  expect(traffic.failures).toEqual([]);
});

test('calls outlive a master that is killed: they reach the replica that takes over', async () => {
  const traffic = new Traffic(redis, keys);
  await traffic.more();
  const killed = await victim();
  await killed.kill();
  await until(async () => (await cluster.masterOfKey(keys[0] ?? '')) !== killed, {
    timeout: 15_000,
    what: 'a replica to take over',
  });
  await traffic.more();
  await traffic.stop(); // what was answered just before the kill may not have been replicated
  expect(traffic.failures).toEqual([]);
  expect((await redis.masters()).map(({ addr }) => addr)).not.toContain(killed.addr);
});

test('a master that is killed and comes back is taught its scripts anew', async () => {
  const master = await victim();
  const key = keys[0] ?? '';
  expect(String(await redis.run(answer, [key], []))).toBe('an answer');
  await Promise.all((await cluster.replicasOf(master)).map((replica) => replica.kill()));
  await master.kill();
  const waiting = Promise.all(Array.from({ length: 20 }, () => redis.run(answer, [key], [])));
  await master.start();
  expect((await waiting).map(String)).toEqual(Array.from({ length: 20 }, () => 'an answer'));
});

test('a server that forgot its scripts is taught them again, also with many calls on their way', async () => {
  const key = keys[0] ?? '';
  await redis.run(answer, [key], []);
  const replies: Promise<unknown>[] = [];
  for (let round = 0; round < 5; round++) {
    await (await victim()).call('SCRIPT', 'FLUSH');
    for (let call = 0; call < 40; call++) replies.push(redis.run(answer, [key], []));
  }
  expect(new Set((await Promise.all(replies)).map(String))).toEqual(new Set(['an answer']));
});

test('a master that hangs fails the calls for its own slots, in time, and no others', async () => {
  const hanging = await victim();
  const mine = await keysOf(hanging);
  await Promise.all((await cluster.replicasOf(hanging)).map((replica) => replica.kill()));
  await redis.ping();
  hanging.pause();
  const started = performance.now();
  const outcomes = await Promise.allSettled(
    keys.map((key) => redis.command(key, 'GET', [key], { timeout: 1_000 })),
  );
  expect(performance.now() - started).toBeLessThan(2_000);
  const failed = keys.filter((_, index) => outcomes[index]?.status === 'rejected');
  expect(failed).toEqual(mine);
  expect(failed.length).toBeLessThan(keys.length);
  expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: {
      code: expect.stringMatching(/^ASYNQ_REDIS_(UNREACHABLE|SLOT_UNSERVED)$/),
      message: expect.stringContaining(hanging.addr),
    },
  });
  hanging.resume();
  expect(await redis.command(mine[0] ?? '', 'PING', [])).toBeDefined();
});

test('calls leave a master that hangs for the replica that takes over', async () => {
  const hanging = await victim();
  await redis.command(keys[0] ?? '', 'GET', [keys[0] ?? '']);
  hanging.pause();
  const replies = await Promise.all(
    keys.map((key) => redis.command(key, 'INCR', [key], { timeout: 20_000 })),
  );
  expect(replies.every((reply) => typeof reply === 'number')).toBe(true);
  expect((await redis.masters()).map(({ addr }) => addr)).not.toContain(hanging.addr);
});

test('a slot whose master is down and has no heir is named, with who had it last', async () => {
  const master = await victim();
  await redis.command(keys[0] ?? '', 'GET', [keys[0] ?? '']);
  await Promise.all((await cluster.replicasOf(master)).map((replica) => replica.kill()));
  await master.kill();
  await expect(
    redis.command(keys[0] ?? '', 'GET', [keys[0] ?? ''], { timeout: 1_000 }),
  ).rejects.toMatchObject({
    code: 'ASYNQ_REDIS_SLOT_UNSERVED',
    message: expect.stringMatching(new RegExp(`key slot ${keySlot(keys[0] ?? '')} .*${master.addr}`)),
  });
});

test('what any node may answer is answered by another than one that hangs', async () => {
  const hanging = await victim();
  await Promise.all((await cluster.replicasOf(hanging)).map((replica) => replica.kill()));
  const fresh = openRedis({ addrs: [hanging.addr], password: 'secret' }, { clock: systemClock, log });
  await fresh.command(keys[0] ?? '', 'GET', [keys[0] ?? '']);
  hanging.pause();
  const started = performance.now();
  await fresh.ping();
  await fresh.publish('channel', 'message');
  expect(performance.now() - started).toBeLessThan(6_000);
  await fresh.close();
});
