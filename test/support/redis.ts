import { randomUUID } from 'node:crypto';
import { Cluster, Redis } from 'ioredis';
import { afterAll, inject } from 'vitest';
import type { SharedRedis } from './redis-tier.ts';

/**
 * The cluster that all files of the tier share: each test works on queues of its own (`uniqueQueue`). A file that fails
 * nodes over, kills them or flushes them starts its own with `startRedisCluster`.
 */
export function testCluster(): SharedRedis['cluster'] {
  return inject('redis').cluster;
}

/** The standalone Redis that all files of the tier share. */
export function testRedis(): SharedRedis['standalone'] {
  return inject('redis').standalone;
}

/** A queue name that no other test has, with `name` for the reader of a failure. */
export function uniqueQueue(name = 'queue'): string {
  return `${name}-${randomUUID().slice(0, 8)}`;
}

/** A plain client of the shared cluster, to look behind the library; call it at the top of a file, which closes it. */
export function rawCluster(): Cluster {
  const { addrs, password } = testCluster();
  const client = new Cluster([...addrs], { redisOptions: { password, protocol: 2 } });
  afterAll(() => client.disconnect());
  return client;
}

/** A plain client of the shared standalone Redis; call it at the top of a file, which closes it. */
export function rawRedis(): Redis {
  const client = new Redis(`redis://${testRedis().addr}`, { protocol: 2 });
  afterAll(() => client.disconnect());
  return client;
}
