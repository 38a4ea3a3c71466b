import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { openRedis } from '../../../src/redis/open.ts';
import type { RedisConnOpt } from '../../../src/redis/options.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { onFreePorts } from '../../lab/free-ports.ts';
import { startRedis } from '../../lab/redis-server.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { testCluster, testRedis } from '../../support/redis.ts';

/** Slow machines included: what is misconfigured is told at once, not when a time-out is over. */
const AT_ONCE_MS = 3_000;

function tlsFile(name: string): string {
  return fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url));
}

/** What a caller learns who uses these options, and everything that was logged meanwhile. */
async function failureOf(options: RedisConnOpt, timeout = 10_000) {
  const log = new RecordingLogger();
  const redis = openRedis(options, { clock: systemClock, log });
  const started = performance.now();
  const error: unknown = await redis.command('key', 'GET', ['key'], { timeout }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const ms = performance.now() - started;
  await redis.close();
  return { error, ms, entries: log.entries };
}

test.each([
  ['a cluster', { ...testCluster(), password: 'guess-of-a-stranger' }],
  ['an ACL user', { ...testCluster(), username: 'nobody', password: 'guess-of-a-stranger' }],
])('a wrong password for %s is refused at once, and shown nowhere', async (_kind, options) => {
  const { error, ms, entries } = await failureOf(options);
  expect(error).toMatchObject({ code: 'ASYNQ_REDIS_AUTH', message: expect.stringContaining('WRONGPASS') });
  expect(ms).toBeLessThan(AT_ONCE_MS);
  expect(inspect({ error, entries }, { depth: 20 })).not.toContain('guess-of-a-stranger');
});

test('no password where one is needed is refused at once', async () => {
  const { error, ms } = await failureOf({ addrs: testCluster().addrs });
  expect(error).toMatchObject({ code: 'ASYNQ_REDIS_AUTH', message: expect.stringContaining('NOAUTH') });
  expect(ms).toBeLessThan(AT_ONCE_MS);
});

test('a password where none is needed does no harm', async () => {
  expect(await failureOf({ ...testRedis(), password: 'superfluous' })).toMatchObject({ error: undefined });
});

test('a standalone server where a cluster was said is told at once', async () => {
  const { error, ms } = await failureOf({ addrs: [testRedis().addr] });
  expect(error).toMatchObject({
    code: 'ASYNQ_REDIS_NOT_A_CLUSTER',
    message: expect.stringContaining(testRedis().addr),
  });
  expect(ms).toBeLessThan(AT_ONCE_MS);
});

test('a node of a cluster where a standalone server was said gives its redirections to the caller', async () => {
  const { addrs, password } = testCluster();
  const failures = await Promise.all(addrs.map((addr) => failureOf({ addr, password }).then((f) => f.error)));
  expect(failures.filter(Boolean)).toContainEqual(
    expect.objectContaining({ code: 'ASYNQ_REDIS_COMMAND', message: expect.stringMatching(/MOVED/) }),
  );
});

test.each([
  ['cluster', (addr: string) => ({ addrs: [addr] })],
  ['standalone', (addr: string) => ({ addr })],
])('an address where nobody listens is named when time is over (%s)', async (_mode, optionsFor) => {
  const { error, ms, entries } = await failureOf(optionsFor('127.0.0.1:1'), 500);
  expect(error).toMatchObject({
    code: 'ASYNQ_REDIS_UNREACHABLE',
    message: expect.stringMatching(/127\.0\.0\.1:1\b.*ECONNREFUSED/),
    cause: expect.objectContaining({ code: 'ECONNREFUSED' }),
  });
  expect(ms).toBeGreaterThan(450);
  expect(ms).toBeLessThan(500 + AT_ONCE_MS);
  expect(entries.filter(({ level }) => level === 'warn')).not.toEqual([]);
});

test('a name that does not resolve is named when time is over', async () => {
  const { error } = await failureOf({ addr: 'redis.invalid:6379' }, 500);
  expect(error).toMatchObject({
    code: 'ASYNQ_REDIS_UNREACHABLE',
    message: expect.stringMatching(/redis\.invalid/),
  });
});

test('an address that takes the connection and says nothing costs no more than the time given', async () => {
  const silent = createServer();
  const port = await onFreePorts(1, undefined, async ([free = 0]) => {
    await new Promise<void>((resolve, reject) =>
      silent.once('error', reject).listen(free, '127.0.0.1', resolve),
    );
    return free;
  });
  const { error, ms } = await failureOf({ addrs: [`127.0.0.1:${port}`] }, 700);
  silent.close();
  expect(error).toMatchObject({ code: 'ASYNQ_REDIS_UNREACHABLE' });
  expect(ms).toBeLessThan(700 + AT_ONCE_MS);
});

test('one address that answers is enough', async () => {
  const { addrs, password } = testCluster();
  const { error, ms } = await failureOf({
    addrs: ['127.0.0.1:1', 'redis.invalid:6379', addrs[0] ?? ''],
    password,
  });
  expect(error).toBeUndefined();
  expect(ms).toBeLessThan(AT_ONCE_MS);
});

test('a database that does not exist is refused', async () => {
  const { error } = await failureOf({ ...testRedis(), db: 4_000 });
  expect(error).toMatchObject({
    code: 'ASYNQ_REDIS_COMMAND',
    message: expect.stringMatching(/answered SELECT with: ERR .*range/),
  });
});

test('another database than the first is another set of keys', async () => {
  const parts = { clock: systemClock, log: new RecordingLogger() };
  const first = openRedis(testRedis(), parts);
  const third = openRedis({ ...testRedis(), db: 3 }, parts);
  const key = 'only-in-database-3';
  await third.command(key, 'SET', [key, 'x']);
  expect(await first.command(key, 'GET', [key])).toBeNull();
  expect(String(await third.command(key, 'GET', [key]))).toBe('x');
  await third.command(key, 'DEL', [key]);
  await Promise.all([first.close(), third.close()]);
});

test.each([
  ['no address', { addrs: [] }],
  ['no port', { addr: 'redis' }],
  ['a port that is none', { addr: 'redis:66000' }],
  ['no host', { addrs: [':6379'] }],
])('options with %s are refused before anything is connected', (_what, options) => {
  expect(() => openRedis(options, { clock: systemClock, log: new RecordingLogger() })).toThrow(
    expect.objectContaining({ code: 'ASYNQ_CONFIG_INVALID' }),
  );
});

test('TLS: a certificate of an authority that is not trusted is refused, a trusted or waived one is not', async () => {
  await onFreePorts(1, undefined, async ([port = 0]) => {
    await using redis = await startRedis({
      config: {
        'tls-port': String(port),
        'tls-cert-file': tlsFile('first.crt'),
        'tls-key-file': tlsFile('first.key'),
        'tls-ca-cert-file': tlsFile('first.crt'),
        'tls-auth-clients': 'no',
      },
    });
    const addr = `${redis.server.host}:${port}`;
    const trusted = readFileSync(tlsFile('first.crt'), 'utf8');
    expect(await failureOf({ addr, tls: { ca: trusted } })).toMatchObject({ error: undefined });
    expect(await failureOf({ addr, tls: { insecure: true } })).toMatchObject({ error: undefined });
    expect(await failureOf({ addr, tls: { ca: trusted, serverName: 'other' } }, 500)).toMatchObject({
      error: { code: 'ASYNQ_REDIS_UNREACHABLE', message: expect.stringContaining('other') },
    });
    expect(await failureOf({ addr, tls: {} }, 500)).toMatchObject({
      error: { code: 'ASYNQ_REDIS_UNREACHABLE', message: expect.stringMatching(/self-signed/) },
    });
  });
});
