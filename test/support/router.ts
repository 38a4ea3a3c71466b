import { afterAll } from 'vitest';
import { openRedis } from '../../src/redis/open.ts';
import type { RedisConnOpt } from '../../src/redis/options.ts';
import type { RedisRouter } from '../../src/redis/router.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { testCluster } from './redis.ts';

/** A router of the library's own, to the tier's cluster unless told otherwise; call it at the top of a file, which closes it. */
export function testRouter(options: RedisConnOpt = testCluster()): RedisRouter {
  const router = openRedis(options, { clock: systemClock, log: silentLogger });
  afterAll(() => router.close());
  return router;
}
