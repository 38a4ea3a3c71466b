import type { TestProject } from 'vitest/node';
import { redisBinaries } from '../lab/redis-binaries.ts';
import { startRedisCluster } from '../lab/redis-cluster.ts';
import { startRedis } from '../lab/redis-server.ts';
import { goPeerBinary } from './go-peer.ts';

export interface SharedRedis {
  readonly cluster: { readonly addrs: readonly string[]; readonly password: string };
  readonly standalone: { readonly addr: string };
}

declare module 'vitest' {
  export interface ProvidedContext {
    redis: SharedRedis;
  }
}

/** Gets the servers' binaries, and builds Go's asynq, which plays the other side in some tests. */
export async function prepare(say: (line: string) => void): Promise<void> {
  const { server, version } = await redisBinaries(say);
  say(`Redis ${version} (${server})`);
  say(`Go's asynq (${await goPeerBinary(say)})`);
}

/** vitest's global setup of the tier: one cluster, behind a password, and one standalone Redis for all its files. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const password = 'only-for-tests';
  const cluster = await startRedisCluster({ password });
  const standalone = await startRedis();
  project.provide('redis', {
    cluster: { addrs: cluster.addrs, password },
    standalone: { addr: standalone.addr },
  });
  return async () => {
    await Promise.all([cluster.stop(), standalone.stop()]);
  };
}
