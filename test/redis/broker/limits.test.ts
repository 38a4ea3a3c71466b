import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DequeueReply, LeasedTask, Settlement } from '../../../src/broker/broker.ts';
import { type QueueLimits, releaseQueueLimits, writeQueueLimits } from '../../../src/broker/queue-limits.ts';
import { RedisBroker } from '../../../src/broker/redis-broker.ts';
import { RedisQueueReader } from '../../../src/broker/redis-queue-reader.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { rawCluster, uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';
import { taskMessage } from '../../support/task-messages.ts';
import { until } from '../../support/until.ts';

const redis = rawCluster();
const routers = [testRouter(), testRouter(), testRouter()] as const;
const brokers = routers.map((router) => new RedisBroker({ router, clock: systemClock, log: silentLogger }));
const [broker] = brokers as [RedisBroker];

async function filled(tasks: number, limits: QueueLimits): Promise<string> {
  const queue = uniqueQueue('limited');
  await limit(queue, limits);
  await add(queue, tasks);
  return queue;
}

async function add(queue: string, tasks: number): Promise<void> {
  await Promise.all(Array.from({ length: tasks }, () => broker.enqueue({ message: taskMessage({ queue }) })));
}

const limit = (queue: string, limits: QueueLimits) => writeQueueLimits(routers[0], queue, limits, 'hand');

const shapeOf = ({ tasks, ...rest }: DequeueReply) => ({ tasks: tasks.length, ...rest });

/** Leases that have not ended, by the clock of this machine, which is the servers' too. */
const standing = (queue: string) =>
  redis.zcount(new QueueKeys(queue).lease, `(${Math.floor(Date.now() / 1000)}`, '+inf');

describe('a limit of active tasks', () => {
  it('gives what is free, and says that the limit holds the rest back', async () => {
    const queue = await filled(5, { concurrency: 3 });
    const { tasks, ...rest } = await broker.dequeue(queue, 10);
    expect(rest).toEqual({ reason: 'limited', limit: 'concurrency', retryAfterMs: 250 });
    expect(tasks).toHaveLength(3);
    expect(shapeOf(await broker.dequeue(queue, 10))).toMatchObject({ tasks: 0, reason: 'limited' });

    await broker.settle(tasks[0] as LeasedTask, { kind: 'done' });
    expect(shapeOf(await broker.dequeue(queue, 10))).toMatchObject({ tasks: 1, reason: 'limited' });
  });

  it('lets a queue be waited on when nothing is left that it could hold back', async () => {
    const queue = await filled(3, { concurrency: 3 });
    expect(shapeOf(await broker.dequeue(queue, 9))).toEqual({ tasks: 3, reason: 'empty' });
    expect(shapeOf(await broker.dequeue(queue, 9))).toEqual({ tasks: 0, reason: 'empty' });
  });

  it('says that there may be more when fewer were asked for than may be active', async () => {
    const queue = await filled(5, { concurrency: 3 });
    expect(shapeOf(await broker.dequeue(queue, 2))).toEqual({ tasks: 2, reason: 'ok' });
  });

  it('counts whoever has a lease, until it ends', async () => {
    const queue = await filled(5, { concurrency: 3 });
    const second = Math.floor(Date.now() / 1000);
    await redis.zadd(
      new QueueKeys(queue).lease,
      second + 30,
      'of a Go server',
      second - 1,
      'of one that died',
    );
    expect(shapeOf(await broker.dequeue(queue, 10))).toMatchObject({ tasks: 2, reason: 'limited' });
  });

  it('is no reason to run a paused queue, nor to keep an unlimited one', async () => {
    const queue = await filled(5, { concurrency: 3 });
    const keys = new QueueKeys(queue);
    await redis.set(keys.paused, '1');
    expect(shapeOf(await broker.dequeue(queue, 10))).toEqual({ tasks: 0, reason: 'paused' });
    await redis.del(keys.paused, keys.limits);
    expect(shapeOf(await broker.dequeue(queue, 10))).toEqual({ tasks: 5, reason: 'empty' });
  });

  it.each(['0', '-1', 'inf', 'nan', 'many', ''])('is none when it is %j', async (concurrency) => {
    const queue = await filled(2, {});
    await redis.hset(new QueueKeys(queue).limits, { concurrency, rate_per_second: concurrency });
    expect(shapeOf(await broker.dequeue(queue, 10))).toEqual({ tasks: 2, reason: 'empty' });
  });

  it('drops ids whose task is gone without counting them', async () => {
    const queue = await filled(4, { concurrency: 2, ratePerSecond: 1_000 });
    const keys = new QueueKeys(queue);
    const [gone = ''] = await redis.lrange(keys.pending, -1, -1);
    await redis.del(keys.task(gone));
    expect(shapeOf(await broker.dequeue(queue, 10))).toEqual({ tasks: 1, reason: 'ok' });
    expect(await redis.get(keys.starts)).toMatch(/ 1$/);
    expect(shapeOf(await broker.dequeue(queue, 10))).toMatchObject({ tasks: 1, reason: 'limited' });
  });

  it('holds at every moment, whatever becomes of the tasks, and every task gets its turn', async () => {
    const outcomes = fc.constantFrom<Settlement>(
      { kind: 'done' },
      { kind: 'archive', error: 'bad' },
      { kind: 'revoke' },
      { kind: 'retry', at: 0, error: 'bad', isFailure: true },
      { kind: 'requeue' },
    );
    const moves = fc.array(fc.record({ max: fc.integer({ min: 1, max: 9 }), outcome: outcomes }), {
      minLength: 1,
      maxLength: 12,
    });
    const consumers = fc.array(moves, { minLength: 2, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), consumers, async (concurrency, all) => {
        const queue = await filled(40, { concurrency });
        let held = 0;
        const consume = async (consumer: RedisBroker, steps: (typeof all)[number]) => {
          for (const { max, outcome } of steps) {
            const { tasks } = await consumer.dequeue(queue, max);
            held += tasks.length;
            expect(held).toBeLessThanOrEqual(concurrency);
            expect(await standing(queue)).toBeLessThanOrEqual(concurrency);
            held -= tasks.length;
            await Promise.all(tasks.map((task) => consumer.settle(task, outcome)));
          }
        };
        await Promise.all(all.map((steps, n) => consume(brokers[n % brokers.length] as RedisBroker, steps)));

        await broker.forward(queue);
        for (let reply = await broker.dequeue(queue, 9); reply.tasks.length > 0; ) {
          await Promise.all(reply.tasks.map((task) => broker.settle(task, { kind: 'done' })));
          reply = await broker.dequeue(queue, 9);
        }
        const keys = new QueueKeys(queue);
        expect(await redis.llen(keys.pending)).toBe(0);
        // What tells servers that keep to no limits from ours.
        const started = Number((await redis.get(keys.starts))?.split(' ')[1]);
        expect(Number(await redis.get(keys.processed))).toBeLessThanOrEqual(started);
      }),
      { numRuns: 25 },
    );
  });
});

describe('a limit of starts per second', () => {
  it('gives one start and what a tenth of a second earns, and says when the next is due', async () => {
    const queue = await filled(100, { ratePerSecond: 50 });
    expect(shapeOf(await broker.dequeue(queue, 64))).toEqual({
      tasks: 6,
      reason: 'limited',
      limit: 'rate',
      retryAfterMs: 50,
    });
  });

  it('may be less than one a second', async () => {
    const queue = await filled(3, { ratePerSecond: 0.5 });
    expect(shapeOf(await broker.dequeue(queue, 64))).toEqual({
      tasks: 1,
      reason: 'limited',
      limit: 'rate',
      retryAfterMs: 1_900,
    });
    const { tasks, ...later } = await broker.dequeue(queue, 64);
    expect(tasks).toEqual([]);
    expect(later).toMatchObject({
      limit: 'rate',
      retryAfterMs: expect.toSatisfy((ms) => ms > 1_000 && ms <= 1_900),
    });
  });

  it.each([
    ['a rate that was lower', { ratePerSecond: 0.001 }, ''],
    ['a clock that was ahead', { ratePerSecond: 20 }, `${(Date.now() + 3_600_000) * 1_000} 1`],
  ])('waits no longer than one start takes after %s', async (_, before, starts) => {
    const queue = await filled(3, before);
    await broker.dequeue(queue, 1);
    if (starts !== '') await redis.set(new QueueKeys(queue).starts, starts);
    await limit(queue, { ratePerSecond: 20 });
    expect(shapeOf(await broker.dequeue(queue, 1))).toEqual({
      tasks: 0,
      reason: 'limited',
      limit: 'rate',
      retryAfterMs: 50,
    });
    await until(async () => (await broker.dequeue(queue, 1)).tasks.length === 1, { timeout: 2_000 });
    expect(await redis.get(new QueueKeys(queue).starts)).toMatch(/ 2$/);
  });

  it('forgets what it counts a day after the last start', async () => {
    const queue = await filled(1, { ratePerSecond: 5 });
    await broker.dequeue(queue, 1);
    expect(await redis.pttl(new QueueKeys(queue).starts)).toBeGreaterThan(86_000_000);
  });

  it.each(['1e-300', '1e300'])('of %s a second, written by hand, loses no task', async (rate) => {
    const queue = await filled(2, { ratePerSecond: 1 });
    await redis.hset(new QueueKeys(queue).limits, 'rate_per_second', rate);
    const { tasks } = await broker.dequeue(queue, 1);
    expect(tasks).toHaveLength(1);
    expect(await redis.llen(new QueueKeys(queue).pending)).toBe(1);
  });

  it('says which limit holds more back', async () => {
    const queue = await filled(100, { concurrency: 4, ratePerSecond: 50 });
    expect(shapeOf(await broker.dequeue(queue, 64))).toMatchObject({ tasks: 4, limit: 'concurrency' });
    await limit(queue, { concurrency: 40, ratePerSecond: 10 });
    expect(shapeOf(await broker.dequeue(queue, 64))).toMatchObject({ limit: 'rate' });
  });

  it.each([2, 25, 400])('%d: never more in any span, nor less for long, over many who ask', async (rate) => {
    const queue = await filled(Math.ceil(3 * rate) + 10, { ratePerSecond: rate });
    const began = performance.now();
    const calls: { readonly from: number; readonly to: number; readonly tasks: number }[] = [];
    const consume = async (consumer: RedisBroker, max: number) => {
      while (performance.now() - began < 1_500) {
        const from = performance.now();
        const reply = await consumer.dequeue(queue, max);
        calls.push({ from, to: performance.now(), tasks: reply.tasks.length });
        await Promise.all(reply.tasks.map((task) => consumer.settle(task, { kind: 'done' })));
        if (reply.reason === 'limited') await sleep(reply.retryAfterMs);
      }
    };
    await Promise.all(brokers.flatMap((each, n) => [consume(each, 64), consume(each, 1 + n)]));

    const started = calls.filter(({ tasks }) => tasks > 0);
    for (const first of started) {
      for (const last of started) {
        if (last.to < first.to) continue;
        const within = started.filter(({ from, to }) => from >= first.from && to <= last.to);
        const most = 1 + rate * ((last.to - first.from) / 1_000 + 0.1);
        expect(within.reduce((sum, { tasks }) => sum + tasks, 0)).toBeLessThanOrEqual(most);
      }
    }
    const all = started.reduce((sum, { tasks }) => sum + tasks, 0);
    expect(all).toBeGreaterThanOrEqual(Math.floor(rate * 0.75));
  });
});

describe('who reads a queue', () => {
  const reader = new RedisQueueReader(routers[0]);
  const read = async (queue: string) => {
    const reading = (await reader.read([{ queue, soonSeconds: 0 }])).get(queue);
    return reading?.kind === 'known' ? reading.snapshot.limits : reading?.error;
  };

  it('sees its limits, whose they are, and what was started within them', async () => {
    const queue = await filled(9, {});
    expect(await read(queue)).toBeUndefined();
    await limit(queue, { concurrency: 5 });
    expect(await read(queue)).toEqual({ concurrency: 5, owner: 'hand', started: 0 });
    await writeQueueLimits(routers[0], queue, { ratePerSecond: 0.1, concurrency: 4 }, 'operator');
    expect(await read(queue)).toEqual({ concurrency: 4, ratePerSecond: 0.1, owner: 'operator', started: 0 });
    const { tasks } = await broker.dequeue(queue, 1);
    await Promise.all(tasks.map((task) => broker.settle(task, { kind: 'done' })));
    expect(await read(queue)).toMatchObject({ started: 1 });
  });

  it('sees them on a queue at rest', async () => {
    const queue = await filled(0, { ratePerSecond: 2.5 });
    expect(await read(queue)).toEqual({ ratePerSecond: 2.5, owner: 'hand', started: 0 });
  });

  it('sees none where dequeue sees none', async () => {
    const queue = await filled(1, {});
    await redis.hset(new QueueKeys(queue).limits, { concurrency: 'inf', rate_per_second: '-2' });
    expect(await read(queue)).toBeUndefined();
  });

  it('takes away what an operator set, and nothing else', async () => {
    const queue = await filled(0, { concurrency: 5 });
    await releaseQueueLimits(routers[0], queue);
    expect(await read(queue)).toMatchObject({ concurrency: 5 });
    await writeQueueLimits(routers[0], queue, { concurrency: 5 }, 'operator');
    await releaseQueueLimits(routers[0], queue);
    expect(await read(queue)).toBeUndefined();
    await releaseQueueLimits(routers[0], queue);
  });
});
