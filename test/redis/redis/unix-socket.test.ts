import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openRedis } from '../../../src/redis/open.ts';
import { parseRedisUri } from '../../../src/redis/uri.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { startRedis } from '../../lab/redis-server.ts';
import { tempDir } from '../../lab/temp-dir.ts';
import { until } from '../../support/until.ts';

const dir = await tempDir('socket');
const path = join(dir.path, 'r.sock');
const server = await startRedis({ config: { unixsocket: JSON.stringify(path) } });
afterAll(async () => {
  await server.stop();
  await dir.remove();
});

const open = (uri: string) => openRedis(parseRedisUri(uri), { clock: systemClock, log: silentLogger });

test('a server is reached over its socket, and again when it comes back', async () => {
  const router = open(`redis-socket://${path}?db=3`);
  await router.command('', 'SET', ['key', 'value']);
  expect((await router.locate('key')).master.addr).toBe(path);
  expect(await server.server.cli(['-n', '3', 'GET', 'key'])).toBe('value');
  await server.server.kill();
  await server.server.start();
  await until(() => router.ping().then(() => true));
  await router.close();
});

test('a socket that is not there is named', async () => {
  const router = open('redis-socket:///nowhere/r.sock');
  await expect(router.command('', 'GET', ['key'], { timeout: 500 })).rejects.toMatchObject({
    code: 'ASYNQ_REDIS_UNREACHABLE',
    message: expect.stringContaining('/nowhere/r.sock'),
  });
  await router.close();
});
