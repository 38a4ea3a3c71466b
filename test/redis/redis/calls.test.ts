import { expect, test } from 'vitest';
import { loadScript } from '../../../src/broker/scripts.ts';
import type { RedisReply, RedisRouter } from '../../../src/redis/router.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { testRedis, uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';
import { scriptOf } from '../../support/script-of.ts';

const cluster = testRouter();
const standalone = testRouter(testRedis());

const append = scriptOf("return redis.call('RPUSH', KEYS[1], ARGV[1])");
const echo = scriptOf('return ARGV[1]');

function listKey(): string {
  return new QueueKeys(uniqueQueue()).pending;
}

function everyRouter(): [string, RedisRouter][] {
  return [
    ['a cluster', cluster],
    ['a standalone server', standalone],
  ];
}

test.each(everyRouter())(
  '%s gets many calls at once in order, and each caller its own reply',
  async (_kind, redis) => {
    const keys = Array.from({ length: 40 }, listKey);
    const replies = await Promise.all(
      keys.flatMap((key) => Array.from({ length: 50 }, (_, nth) => redis.run(append, [key], [nth]))),
    );
    const inOrder = Array.from({ length: 50 }, (_, nth) => nth);
    expect(replies).toEqual(keys.flatMap(() => inOrder.map((nth) => nth + 1)));
    for (const key of keys) {
      const list = (await redis.command(key, 'LRANGE', [key, 0, -1])) as RedisReply[];
      expect(list.map(Number)).toEqual(inOrder);
    }
  },
);

test.each(everyRouter())('%s takes bytes and gives them back', async (_kind, redis) => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const window = new Uint8Array(bytes.buffer, 13, 200);
  expect(await redis.run(echo, [listKey()], [bytes])).toEqual(Buffer.from(bytes));
  expect(await redis.run(echo, [listKey()], [window])).toEqual(Buffer.from(bytes.subarray(13, 213)));
  expect(await redis.run(echo, [listKey()], [''])).toEqual(Buffer.alloc(0));
});

test('replies come as RESP2 brings them, nested', async () => {
  const all = scriptOf("return { 7, 'seven', false, { 1, { 2 } }, redis.call('PING') }");
  expect(await cluster.run(all, [listKey()], [])).toEqual([
    7,
    Buffer.from('seven'),
    null,
    [1, [2]],
    Buffer.from('PONG'),
  ]);
});

test('a hash comes as the list that Redis sends, not as an object', async () => {
  const key = listKey();
  await cluster.command(key, 'hset', [key, 'a', 1, 'b', 2]);
  expect(await cluster.command(key, 'hgetall', [key])).toEqual(
    ['a', '1', 'b', '2'].map((text) => Buffer.from(text)),
  );
});

test('an error reply fails its own call, with its text, and no other', async () => {
  const key = listKey();
  const [pushed, refused, pushedAgain] = await Promise.allSettled([
    cluster.run(append, [key], ['a']),
    cluster.command(key, 'HGET', [key, 'field']),
    cluster.run(append, [key], ['b']),
  ]);
  expect([pushed, pushedAgain]).toMatchObject([{ value: 1 }, { value: 2 }]);
  expect(refused).toMatchObject({
    reason: {
      code: 'ASYNQ_REDIS_COMMAND',
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ answered HGET with: WRONGTYPE /),
      cause: { message: expect.stringMatching(/^WRONGTYPE /) },
    },
  });
});

test.each(everyRouter())(
  '%s is not sent what cannot be written, and the calls beside it are',
  async (_kind, redis) => {
    const key = listKey();
    const outcomes = await Promise.allSettled([
      redis.run(append, [key], ['a']),
      redis.run(append, [key], [new DataView(new ArrayBuffer(8)) as never]),
      redis.command(key, 'RPUSH', [key, 'b', { text: 'c' } as never]),
      redis.block(key, 'BLPOP', [key, undefined as never], {
        timeout: 1_000,
        signal: new AbortController().signal,
      }),
      redis.run(append, [key], ['d']),
    ]);
    const refused = { reason: { code: 'ASYNQ_OPTION_INVALID' } };
    expect(outcomes).toMatchObject([{ value: 1 }, refused, refused, refused, { value: 2 }]);
  },
);

test('a script that does not compile is an error of its caller', async () => {
  const broken = scriptOf('this is not Lua');
  const failed = cluster.run(broken, [listKey()], []);
  await expect(failed).rejects.toMatchObject({
    code: 'ASYNQ_REDIS_COMMAND',
    message: expect.stringMatching(/compiling script/),
  });
  expect(await cluster.run(echo, [listKey()], ['still there'])).toEqual(Buffer.from('still there'));
});

test('keys in different slots are refused, and the error says so', async () => {
  const crossed = cluster.run(echo, [listKey(), listKey()], ['']);
  await expect(crossed).rejects.toMatchObject({
    code: 'ASYNQ_REDIS_COMMAND',
    message: expect.stringMatching(/CROSSSLOT/),
  });
});

test('a caller that gives up gets an error in time, and the calls behind it their replies', async () => {
  const key = listKey();
  const started = performance.now();
  const slow = cluster.command(key, 'BLPOP', [key, 1], { timeout: 200 });
  await expect(slow).rejects.toMatchObject({
    code: 'ASYNQ_REDIS_UNREACHABLE',
    message: expect.stringMatching(/^127\.0\.0\.1:\d+ did not answer BLPOP within 200 ms$/),
  });
  expect(performance.now() - started).toBeLessThan(900);
  expect(await cluster.run(append, [key], ['x'])).toBe(1);
});

test('the digest of a script is the one that Redis computes', async () => {
  const { lua, sha } = loadScript('observe');
  expect(String(await standalone.command('any', 'SCRIPT', ['LOAD', lua]))).toBe(sha);
});

test('ping is answered', async () => {
  await expect(cluster.ping()).resolves.toBeUndefined();
  await expect(standalone.ping()).resolves.toBeUndefined();
});
