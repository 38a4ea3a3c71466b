import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { LeasedTask, Settlement } from '../../../src/broker/broker.ts';
import { Enqueuer } from '../../../src/broker/enqueuer.ts';
import { Leaser } from '../../../src/broker/leaser.ts';
import { Settler } from '../../../src/broker/settler.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { encodeTaskMessage } from '../../../src/wire/task-message.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { rawRedis, testRedis, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { ReplyCutter } from '../../support/reply-cutter.ts';
import { taskMessage } from '../../support/task-messages.ts';

/* A call whose connection breaks after Redis has done it, and before it said so, is sent again. */

const redis = rawRedis();
const cutter = await ReplyCutter.before(testRedis().addr);
const { broker, router, clock, lease } = brokerOn({ addr: cutter.addr });
afterAll(() => cutter[Symbol.asyncDispose]());
// From here on nothing but the call in question is on the way.
beforeAll(() => broker.ping());

let queue: string;
beforeEach(async () => {
  queue = uniqueQueue();
  await broker.enqueue({ message: taskMessage({ queue }) });
  await broker.dequeue(queue, 1);
});

it.each([
  ['at once', {}],
  ['later', { processAt: clock.now() + 60_000 }],
  ['into a group', { group: 'g' }],
  ['uniquely', { uniqueTtl: 60 }],
])('an enqueue finds its own task, and calls it no conflict: %s', async (_, how) => {
  const message = taskMessage({
    queue,
    uniqueKey: 'uniqueTtl' in how ? new QueueKeys(queue).unique('t', null) : '',
  });
  cutter.cutNext('EVALSHA');
  await broker.enqueue({ message, ...how });
  expect(cutter.hasCut).toBe(true);
  const { pending, scheduled, groups } = await dumpQueue(redis, queue);
  expect([...pending, ...Object.keys(scheduled), ...Object.keys(groups['g'] ?? {})]).toEqual([message.id]);
});

it("an enqueue still finds another's task, and calls it a conflict", async () => {
  const message = taskMessage({ queue });
  await broker.enqueue({ message });
  cutter.cutNext('EVALSHA');
  const other = broker.enqueue({ message: { ...message, payload: Buffer.from('other') } });
  await expect(other).rejects.toMatchObject({ code: 'ASYNQ_TASK_ID_CONFLICT' });
  expect(cutter.hasCut).toBe(true);
});

const SETTLEMENTS: readonly (Settlement & { retention?: number })[] = [
  { kind: 'done' },
  { kind: 'done', retention: 60 },
  { kind: 'retry', at: clock.now() + 60_000, error: 'x', isFailure: true },
  { kind: 'archive', error: 'x' },
  { kind: 'requeue' },
];

it.each(SETTLEMENTS)('a settlement is known to be ours, and counted once: %j', async (settlement) => {
  const task = await lease({ queue, retention: settlement.retention ?? 0 });
  cutter.cutNext('EVALSHA');
  expect(await broker.settle(task, settlement)).toBe(true);
  expect(cutter.hasCut).toBe(true);
  const processed = await redis.get(new QueueKeys(queue).processed);
  expect(processed).toBe(settlement.kind === 'requeue' ? null : '1');
  expect((await dumpQueue(redis, queue)).active).not.toContain(task.id);
});

/** Takes each call for unanswered and sends it once more, after `meanwhile`. */
function sendingAgain(meanwhile: () => Promise<unknown>): Pick<RedisRouter, 'run'> {
  return {
    run: async (script, keys, args, options) => {
      await router.run(script, keys, args);
      await meanwhile();
      return router.run(script, keys, options?.argsWhenResent?.() ?? args);
    },
  };
}

/** Calls are done, and nobody hears of it. */
const silent: Pick<RedisRouter, 'run'> = {
  run: async (script, keys, args) => {
    await router.run(script, keys, args);
    throw new AsynqError('ASYNQ_REDIS_UNREACHABLE');
  },
};

/** Another server leases the task, whatever became of it. */
async function leaseToAnother({ id, leaseExpiresAt }: LeasedTask, laterMs: number, msg?: Uint8Array) {
  const keys = new QueueKeys(queue);
  const ends = (leaseExpiresAt + laterMs) / 1000;
  await redis.lrem(keys.pending, 0, id);
  await redis.multi().lpush(keys.active, id).zadd(keys.lease, ends, id).exec();
  await redis.hset(keys.task(id), { state: 'active', ...(msg && { msg: Buffer.from(msg) }) });
  return ends;
}

it.each([
  ['at once', {}],
  ['later', { processAt: clock.now() + 60_000 }],
  ['into a group', { group: 'g' }],
])('an enqueue knows its own lock, whatever became of its message: %s', async (_, how) => {
  const keys = new QueueKeys(queue);
  const message = taskMessage({ queue, uniqueKey: keys.unique('t', null) });
  const failed = Buffer.from(encodeTaskMessage({ ...message, retried: 1 }));
  const enqueuer = new Enqueuer({
    router: {
      ...sendingAgain(() => redis.hset(keys.task(message.id), 'msg', failed)),
      command: (...call) => router.command(...call),
    },
    clock,
  });
  await enqueuer.enqueue({ message, ...how, uniqueTtl: 60 });
  expect(await redis.get(message.uniqueKey)).toBe(message.id);
});

it('an enqueue knows its own claim, also when its task is done already', async () => {
  const keys = new QueueKeys(queue);
  const message = taskMessage({ queue });
  const claim = { key: `${keys.ownPrefix}claim`, ttl: 60 };
  const enqueuer = new Enqueuer({
    router: {
      ...sendingAgain(() => redis.del(keys.task(message.id))),
      command: (...call) => router.command(...call),
    },
    clock,
  });
  await enqueuer.enqueue({ message, claim });
  expect(await redis.exists(keys.task(message.id))).toBe(0);
});

it("an enqueue still finds another's lock", async () => {
  const keys = new QueueKeys(queue);
  const message = taskMessage({ queue, uniqueKey: keys.unique('t', null) });
  await redis.set(message.uniqueKey, 'another');
  cutter.cutNext('EVALSHA');
  const refused = broker.enqueue({ message, uniqueTtl: 60 });
  await expect(refused).rejects.toMatchObject({ code: 'ASYNQ_DUPLICATE_TASK' });
});

it.each(SETTLEMENTS)('a settlement does not take the task from another server: %j', async (settlement) => {
  const task = await lease({ queue, retention: settlement.retention ?? 0 });
  const settler = new Settler({
    router: sendingAgain(() => leaseToAnother(task, 1_000, encodeTaskMessage(task.message))),
    clock,
  });
  expect(await settler.settle(task, settlement)).toBe(false);
  const { active, lease: leases, pending } = await dumpQueue(redis, queue, [task.id]);
  expect(active).toContain(task.id);
  expect(leases[task.id]).toBe(task.leaseExpiresAt / 1000 + 1);
  expect(pending).not.toContain(task.id);
});

it.each(SETTLEMENTS.slice(1, 4))('a message tells whose work it was in the same second: %j', async (how) => {
  const task = await lease({ queue, retention: how.retention ?? 0 });
  const settler = new Settler({ router: sendingAgain(() => leaseToAnother(task, 0)), clock });
  expect(await settler.settle(task, how)).toBe(true);
  expect((await dumpQueue(redis, queue)).active).toContain(task.id);
});

it.each(SETTLEMENTS)(
  'a settlement that failed is known when it is made once more: %j',
  async (settlement) => {
    const task = await lease({ queue, retention: settlement.retention ?? 0 });
    const routers = [silent, router];
    const settler = new Settler({
      router: { run: async (...call) => (routers.shift() ?? router).run(...call) },
      clock,
    });
    await expect(settler.settle(task, settlement)).rejects.toMatchObject({ code: 'ASYNQ_REDIS_UNREACHABLE' });
    await clock.advance(2_000);
    expect(await settler.settle(task, settlement)).toBe(true);
    const processed = await redis.get(new QueueKeys(queue).processed);
    expect(processed).toBe(settlement.kind === 'requeue' ? null : '1');
  },
);

it('a settlement knows a lease that was extended unheard', async () => {
  const task = await lease({ queue });
  const settler = new Settler({
    router: {
      run: async (script, keys, args, options) =>
        router.run(script, keys, options?.argsWhenResent?.() ?? args),
    },
    clock,
  });
  const leaser = new Leaser({ router: silent, clock, log: silentLogger, settler });
  await clock.advance(5_000);
  await expect(leaser.extend([task])).rejects.toMatchObject({ code: 'ASYNQ_REDIS_UNREACHABLE' });
  expect(await settler.settle(task, { kind: 'done' })).toBe(true);
});
