import { describe, expect, test } from 'vitest';
import { PendingWatch } from '../../../src/broker/pending-watch.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { rawCluster, uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';
import { until } from '../../support/until.ts';

const raw = rawCluster();
const router = testRouter();

/** As so many servers would: each has connections and memory of its own. */
const watches = Array.from(
  { length: 6 },
  () => new PendingWatch({ router: testRouter(), clock: systemClock }),
);

describe('waiting for pending tasks', () => {
  test('at most four servers wait for one queue; the others are told to look for themselves', async () => {
    const queue = uniqueQueue('crowd');
    const stop = new AbortController();
    const waits = watches.map((watch, n) => watch.wait(queue, `server ${n}`, stop.signal));
    const crowded = waits.map((wait) =>
      wait.then(
        (seen) => seen === 'crowded',
        () => false,
      ),
    );
    await until(async () => (await raw.zcard(`asynq-operator:{${queue}}:waiters`)) === 4);
    stop.abort();
    expect((await Promise.all(crowded)).filter(Boolean)).toHaveLength(2);
  });

  test('a place that nobody keeps is free again', async () => {
    const queue = uniqueQueue('places');
    const { signal } = new AbortController();
    const key = `asynq-operator:{${queue}}:waiters`;
    await raw.zadd(key, '1', 'a', '1', 'b', '1', 'c', '1', 'd'); // ended in 1970
    await raw.lpush(`asynq:{${queue}}:pending`, 'task');
    expect(await watches[0]?.wait(queue, 'e', signal)).toBe('pending');
    expect(await raw.zrange(key, '0', '-1')).toEqual(['e']);
    expect(await raw.pttl(key)).toBeGreaterThan(10_000);
  });

  test('leaves the queue as it is', async () => {
    const queue = uniqueQueue('untouched');
    const { signal } = new AbortController();
    const pending = `asynq:{${queue}}:pending`;
    await raw.rpush(pending, 'c', 'b', 'a');
    await watches[0]?.wait(queue, 'me', signal);
    expect(await raw.lrange(pending, '0', '-1')).toEqual(['c', 'b', 'a']);
  });

  test('other calls of the same program go on meanwhile', async () => {
    const queue = uniqueQueue('meanwhile');
    const stop = new AbortController();
    const watch = new PendingWatch({ router, clock: systemClock });
    const waiting = watch.wait(queue, 'me', stop.signal).catch(() => 'stopped');
    const key = `asynq:{${queue}}:x`;
    for (let n = 0; n < 10; n++) await router.command(key, 'SET', [key, n]);
    expect(await raw.get(key)).toBe('9');
    stop.abort();
    expect(await waiting).toBe('stopped');
  });
});
