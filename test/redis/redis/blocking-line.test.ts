import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRedis } from '../../../src/redis/open.ts';
import type { RedisReply, RedisRouter } from '../../../src/redis/router.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import { until } from '../../support/until.ts';

describe('a blocking call', () => {
  let cluster: RedisCluster;
  let router: RedisRouter;
  beforeAll(async () => {
    cluster = await startRedisCluster();
    router = openRedis({ addrs: cluster.addrs }, { clock: systemClock, log: silentLogger });
  });
  afterAll(async () => {
    await router.close();
    await cluster.stop();
  });

  const never = new AbortController().signal;

  function pop(key: string, seconds = 5, signal = never, timeout = 7_000): Promise<RedisReply> {
    return router.block(key, 'BLPOP', [key, seconds], { timeout, signal });
  }

  const codeOf = (call: Promise<unknown>) =>
    call.then(
      () => 'no error',
      (error: unknown) => (AsynqError.is(error) ? error.code : String(error)),
    );

  /** How many clients the owner of the key holds in a blocking call. */
  const blocked = async (key: string) =>
    Number(await (await cluster.masterOfKey(key)).info('blocked_clients'));

  test('waits at the owner of its key until there is something', async () => {
    const waiting = pop('a');
    await until(async () => (await blocked('a')) === 1);
    await router.command('a', 'RPUSH', ['a', 'x']);
    expect(String(await waiting)).toBe('a,x');
    expect(await pop('a', 0.05)).toBeNull();
  });

  test('is given up on a signal, and its server hears of it', async () => {
    const stop = new AbortController();
    const waiting = codeOf(pop('b', 0, stop.signal));
    await until(async () => (await blocked('b')) === 1);
    stop.abort();
    expect(await waiting).toBe('ASYNQ_CLOSED');
    await until(async () => (await blocked('b')) === 0);
  });

  test('fails when no answer comes in time', async () => {
    const master = await cluster.masterOfKey('c');
    expect(await pop('c', 0.05)).toBeNull();
    master.pause();
    expect(await codeOf(pop('c', 0.05, never, 300))).toBe('ASYNQ_REDIS_UNREACHABLE');
    master.resume();
  });

  test('fails when its key moves, and the next one finds it', async () => {
    const waiting = codeOf(pop('d', 30, never, 40_000));
    await until(async () => (await blocked('d')) === 1);
    await cluster.failover(await cluster.masterOfKey('d'));
    expect(await waiting).toMatch(/^ASYNQ_REDIS_(COMMAND|UNREACHABLE)$/);
    await until(
      async () => {
        const [popped] = await Promise.all([pop('d', 1), router.command('d', 'RPUSH', ['d', 'y'])]);
        return String(popped) === 'd,y';
      },
      { timeout: 15_000 },
    );
  });

  test('leaves another on the same key alone', async () => {
    const stop = new AbortController();
    const [given, waiting] = [codeOf(pop('f', 0, stop.signal)), pop('f')];
    await until(async () => (await blocked('f')) === 2);
    stop.abort();
    expect(await given).toBe('ASYNQ_CLOSED');
    await router.command('f', 'RPUSH', ['f', 'x']);
    expect(String(await waiting)).toBe('f,x');
  });

  test('ends with its router', async () => {
    const own = openRedis({ addrs: cluster.addrs }, { clock: systemClock, log: silentLogger });
    const wait = () => codeOf(own.block('e', 'BLPOP', ['e', 0], { timeout: 60_000, signal: never }));
    const waiting = [wait(), wait()];
    await until(async () => (await blocked('e')) === 2);
    await own.close();
    expect(await Promise.all(waiting)).toEqual(['ASYNQ_CLOSED', 'ASYNQ_CLOSED']);
    await until(async () => (await blocked('e')) === 0);
  });
});
