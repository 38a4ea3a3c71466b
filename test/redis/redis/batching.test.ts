import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRedis } from '../../../src/redis/open.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { type StandaloneRedis, startRedis } from '../../lab/redis-server.ts';
import { scriptOf } from '../../support/script-of.ts';

let server: StandaloneRedis;
let redis: RedisRouter;

beforeAll(async () => {
  server = await startRedis();
  redis = openRedis({ addr: server.addr }, { clock: systemClock, log: silentLogger });
  await redis.ping();
});
afterAll(async () => {
  await redis?.close();
  await server?.stop();
});

/** Times that the server has read from its clients, this one's own reads included. */
async function reads(): Promise<number> {
  const info = String(await redis.command('any', 'INFO', ['stats']));
  return Number(/^total_reads_processed:(\d+)/m.exec(info)?.[1]);
}

const echo = scriptOf('return ARGV[1]');

test('what is called in one turn arrives in one piece', async () => {
  await redis.run(echo, ['key'], ['taught']);
  const before = await reads();
  const payload = Buffer.alloc(50, 'x');
  const scripts = Array.from({ length: 50 }, () => redis.run(echo, ['key'], [payload]));
  const commands = Array.from({ length: 50 }, (_, n) => redis.command('key', 'SET', [`key-${n}`, payload]));
  await Promise.all([...scripts, ...commands]);
  const after = await reads();
  expect(after - before).toBe(2); // theirs, and that of the question itself
});

test('so does what callers add when one of them gets its reply', async () => {
  const chains = Array.from({ length: 20 }, async () => {
    for (let step = 0; step < 10; step++) await redis.run(echo, ['key'], [step]);
  });
  const before = await reads();
  await Promise.all(chains);
  expect((await reads()) - before).toBeLessThan(40);
});
