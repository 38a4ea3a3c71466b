import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMaster, owns } from '../../lab/cluster-nodes.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import { startRedis } from '../../lab/redis-server.ts';
import { beginSlotMove } from '../../lab/slot-move.ts';
import { rawCluster, rawRedis, uniqueQueue } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

describe('the shared servers', () => {
  const cluster = rawCluster();
  const standalone = rawRedis();

  it('take writes, over the whole key space', async () => {
    const keys = Array.from({ length: 50 }, () => uniqueQueue());
    await Promise.all(keys.map((key) => cluster.set(key, 'x', 'EX', 10)));
    expect(await standalone.set(uniqueQueue(), 'x', 'EX', 10)).toBe('OK');
  });
});

describe('a cluster of one’s own', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster({
      nodeTimeout: 2_000,
      config: { 'cluster-require-full-coverage': 'no' },
    });
  });
  afterAll(() => cluster.stop());

  it('has three masters with a replica each that own all slots', async () => {
    const lines = await cluster.clusterNodes();
    expect(lines.filter(isMaster)).toHaveLength(3);
    for (const master of await cluster.masters()) expect(await cluster.replicasOf(master)).toHaveLength(1);
    for (const slot of [0, 5460, 5461, 10_922, 16_383]) {
      expect(lines.filter((line) => owns(line, slot))).toHaveLength(1);
    }
    expect(await cluster.keyslot('asynq:{imágenes}:pending')).toBe(2788);
  });

  it('keeps data over a failover and gives the slot to the replica', async () => {
    const master = await cluster.masterOfKey('a');
    await master.call('SET', 'a', '1');
    const heir = await cluster.failover(master);
    expect((await cluster.masterOfKey('a')).addr).toBe(heir.addr);
    expect(await heir.call('GET', 'a')).toBe('1');
    await cluster.whole();
    expect(await cluster.replicasOf(heir)).toEqual([master]);
  });

  it('replaces a master that was killed, and takes it back as a replica', async () => {
    const master = await cluster.masterOfKey('b');
    await master.kill();
    await until(async () => (await cluster.masterOfKey('b')).addr !== master.addr, { timeout: 20_000 });
    await master.start();
    await cluster.whole();
    expect(await master.info('role')).toBe('slave');
  });

  it('moves a slot with its keys, asking in between', async () => {
    const from = await cluster.masterOfKey('{c}1');
    const to = (await cluster.masters()).find((master) => master !== from);
    if (to === undefined) throw new Error('expected another master');
    await from.call('MSET', '{c}1', 'one', '{c}2', 'two');
    const move = await beginSlotMove(cluster, await cluster.keyslot('{c}'), to);
    expect(await move.moveKeys(1)).toBe(1);
    await expect(from.call('MGET', '{c}1', '{c}2')).rejects.toThrow(/TRYAGAIN/);
    await move.finish();
    await expect(from.call('GET', '{c}1')).rejects.toThrow(/MOVED/);
    expect(await to.call('MGET', '{c}1', '{c}2')).toEqual(['one', 'two']);
  });
});

describe('a standalone server', () => {
  it('comes back on its port after a kill, and hangs when paused', async () => {
    await using redis = await startRedis({ password: 'a "quoted" pässword' });
    await redis.server.kill();
    await expect(redis.server.call('PING')).rejects.toThrow('ECONNREFUSED');
    await redis.server.start();
    expect(await redis.server.cli(['PING'])).toBe('PONG');
    redis.server.pause();
    await expect(redis.server.call('PING')).rejects.toThrow(/closed|timed out/);
    redis.server.resume();
    expect(await redis.server.call('PING')).toBe('PONG');
  });

  it('that cannot start says what its log says', async () => {
    await expect(startRedis({ config: { nonsense: 'yes' } })).rejects.toThrow(/Bad directive/);
  });
});
