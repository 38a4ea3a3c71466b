import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRedis } from '../../../src/redis/open.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import type { RedisServer } from '../../lab/redis-server.ts';
import { beginSlotMove } from '../../lab/slot-move.ts';
import { scriptOf } from '../../support/script-of.ts';
import { Traffic } from '../../support/traffic.ts';

let cluster: RedisCluster;
let redis: RedisRouter;

const count = scriptOf("return redis.call('INCR', KEYS[1])");
const both = scriptOf("return { redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]) }");
const undeclared = scriptOf("return redis.call('GET', ARGV[1])");

beforeAll(async () => {
  cluster = await startRedisCluster({ replicas: 0 });
  redis = openRedis({ addrs: cluster.addrs }, { clock: systemClock, log: silentLogger });
});
afterAll(async () => {
  await redis?.close();
  await cluster?.stop();
});

/** A master that does not own the key's slot. */
async function anotherThanMasterOf(key: string): Promise<RedisServer> {
  const owner = await cluster.masterOfKey(key);
  const other = (await cluster.masters()).find((master) => master !== owner);
  if (other === undefined) throw new Error('a cluster of one master');
  return other;
}

async function moveAway(key: string) {
  return beginSlotMove(cluster, await cluster.keyslot(key), await anotherThanMasterOf(key));
}

test('calls follow a slot that moves, with traffic on it all the while', async () => {
  const keys = ['{move}1', '{move}2', '{move}3', '{stay}1', '{stay}2'];
  const traffic = new Traffic(redis, keys);
  await traffic.more();
  const move = await moveAway('{move}1');
  await traffic.more();
  await move.moveKeys(1);
  await traffic.more();
  await move.finish();
  await traffic.more();
  expect(await traffic.stop()).toEqual([]);
  expect(traffic.failures).toEqual([]);
  expect((await redis.locate('{move}1')).master.addr).toBe(move.to.addr);
});

test('a key that has left a slot in mid-move is asked for where it is, by a script that node was never taught', async () => {
  const key = '{ask}key';
  await redis.command(key, 'SET', [key, 41]);
  const move = await moveAway(key);
  await move.moveKeys();
  const replies = await Promise.all([redis.run(count, [key], []), redis.run(count, [key], [])]);
  expect(replies).toEqual([42, 43]);
  expect((await redis.locate(key)).master.addr).toBe(move.from.addr);
  await move.finish();
  expect(await redis.run(count, [key], [])).toBe(44);
});

test('a script over keys on both sides of a move waits for its end', async () => {
  const keys = ['{apart}1', '{apart}2'];
  await Promise.all(keys.map((key) => redis.command(key, 'SET', [key, key])));
  const move = await moveAway('{apart}1');
  await move.moveKeys(1);
  const waiting = redis.run(both, keys, []);
  await expect(redis.run(both, keys, [], { timeout: 200 })).rejects.toMatchObject({
    code: 'ASYNQ_REDIS_SLOT_UNSERVED',
    message: expect.stringMatching(/TRYAGAIN/),
  });
  await move.finish();
  expect(await waiting).toEqual(keys.map((key) => Buffer.from(key)));
});

test('a script that meets a key which has left, and which it did not declare, waits for the end of the move', async () => {
  const [stays, leaves] = ['{hidden}1', '{hidden}2'];
  await Promise.all([stays, leaves].map((key) => redis.command(key, 'SET', [key, key])));
  const move = await moveAway(stays);
  await move.from.call('MIGRATE', move.to.host, move.to.port, leaves, 0, 5_000);
  const waiting = redis.run(undeclared, [stays], [leaves]);
  await expect(redis.run(undeclared, [stays], [leaves], { timeout: 200 })).rejects.toMatchObject({
    code: 'ASYNQ_REDIS_SLOT_UNSERVED',
    message: expect.stringMatching(/non local key/),
  });
  await move.finish();
  expect(String(await waiting)).toBe(leaves);
});

test('every call of a burst finds its own way when the slot has just moved', async () => {
  const key = '{burst}key';
  await redis.command(key, 'SET', [key, 0]);
  const move = await moveAway(key);
  await move.finish();
  const replies = await Promise.all(Array.from({ length: 500 }, () => redis.run(count, [key], [])));
  expect(new Set(replies).size).toBe(500);
  expect(Math.max(...replies.map(Number))).toBe(500);
});
