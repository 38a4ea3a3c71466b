import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openRedis } from '../../../src/redis/open.ts';
import type { RedisConnOpt } from '../../../src/redis/options.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { testCluster, testRedis } from '../../support/redis.ts';

const run = promisify(execFile);
const source = (name: string) => fileURLToPath(new URL(`../../../src/${name}`, import.meta.url));

/** A program that uses a router, closes it twice and has nothing left to do; it prints for how long it lived on. */
const PROGRAM = `
  import { openRedis } from ${JSON.stringify(source('redis/open.ts'))};
  import { systemClock } from ${JSON.stringify(source('runtime/clock.ts'))};
  import { silentLogger } from ${JSON.stringify(source('runtime/logger.ts'))};
  const redis = openRedis(JSON.parse(process.argv[1]), { clock: systemClock, log: silentLogger });
  const ready = process.argv[2] === 'reached';
  if (ready) {
    await Promise.all(['a', 'b', 'c', 'd'].map((key) => redis.command(key, 'GET', [key])));
    await redis.subscribe('channel', () => {}, new AbortController().signal);
  }
  const abandoned = redis.command('a', 'BLPOP', ['a', 0]).catch((error) => error.code);
  if (!ready) await new Promise((resolve) => setTimeout(resolve, 50));
  await Promise.all([redis.close(), redis.close()]);
  await redis.close();
  const closedAt = performance.now();
  const code = await abandoned;
  process.on('exit', () => console.log(JSON.stringify({ code, livedOn: performance.now() - closedAt })));
`;

test.each<[string, RedisConnOpt, string]>([
  ['a cluster', testCluster(), 'reached'],
  ['a standalone server', testRedis(), 'reached'],
  ['a server that is not there', { addr: '127.0.0.1:1' }, 'never reached'],
  ['a cluster that is not there', { addrs: ['127.0.0.1:1', '127.0.0.1:2'] }, 'never reached'],
  ['a name that does not resolve', { addr: 'redis.invalid:6379' }, 'never reached'],
])('closing the way to %s leaves nothing that keeps the process alive', async (_kind, options, reached) => {
  const args = ['--input-type=module', '--eval', PROGRAM, JSON.stringify(options), reached];
  const { stdout, stderr } = await run(process.execPath, args, { timeout: 20_000 });
  expect(stderr).toBe('');
  const { code, livedOn } = JSON.parse(stdout) as { code: string; livedOn: number };
  expect(code).toBe('ASYNQ_CLOSED');
  expect(livedOn).toBeLessThan(500);
});

test('what is asked of a closed router is refused', async () => {
  const redis = openRedis(testCluster(), { clock: systemClock, log: silentLogger });
  await redis.ping();
  await redis.close();
  const closed = expect.objectContaining({ code: 'ASYNQ_CLOSED' });
  await expect(redis.ping()).rejects.toEqual(closed);
  await expect(redis.locate('key')).rejects.toEqual(closed);
  await expect(redis.masters()).rejects.toEqual(closed);
  await expect(redis.command('key', 'GET', ['key'])).rejects.toEqual(closed);
});

test('a router that nobody used can be closed', async () => {
  await expect(
    openRedis(testCluster(), { clock: systemClock, log: silentLogger }).close(),
  ).resolves.toBeUndefined();
});
