import { beforeEach, describe, expect, it } from 'vitest';
import type { LeasedTask, Settlement } from '../../../src/broker/broker.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { STATS_TTL_SECONDS } from '../../../src/wire/limits.ts';
import { decodeTaskMessage } from '../../../src/wire/task-message.ts';
import { dumpQueue, dumpTask } from '../../support/queue-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { taskMessage } from '../../support/task-messages.ts';

const redis = rawCluster();
const { broker, clock, second, enqueue, lease } = brokerOn(testCluster());

let queue: string;
let keys: QueueKeys;
beforeEach(() => {
  queue = uniqueQueue();
  keys = new QueueKeys(queue);
});

async function counters() {
  const names = [keys.processedOn(clock.now()), keys.processed, keys.failedOn(clock.now()), keys.failed];
  return (await Promise.all(names.map((name) => redis.get(name)))).map(Number);
}

async function leaseMany(count: number): Promise<LeasedTask[]> {
  const messages = Array.from({ length: count }, () => taskMessage({ queue }));
  await Promise.all(messages.map((message) => broker.enqueue({ message })));
  return (await broker.dequeue(queue, count)).tasks;
}

const retry: Settlement = { kind: 'retry', at: clock.now() + 90_000, error: 'no route', isFailure: true };

describe('done', () => {
  it('deletes the task and counts it, today and for ever', async () => {
    const task = await lease({ queue });
    expect(await broker.settle(task, { kind: 'done' })).toBe(true);
    expect(await dumpQueue(redis, queue)).toMatchObject({ active: [], lease: {}, tasks: {} });
    expect(await redis.exists(keys.task(task.id))).toBe(0);
    expect(await counters()).toEqual([1, 1, 0, 0]);
    const ttl = await redis.ttl(keys.processedOn(clock.now()));
    expect(ttl).toBeGreaterThan(STATS_TTL_SECONDS - 300);
    expect(ttl).toBeLessThanOrEqual(STATS_TTL_SECONDS);
    expect(await redis.ttl(keys.processed)).toBe(-1);
  });

  it('sets the end of a counter once', async () => {
    await broker.settle(await lease({ queue }), { kind: 'done' });
    await redis.expire(keys.processedOn(clock.now()), 1_000);
    await broker.settle(await lease({ queue }), { kind: 'done' });
    expect(await redis.ttl(keys.processedOn(clock.now()))).toBeLessThanOrEqual(1_000);
    expect(await counters()).toEqual([2, 2, 0, 0]);
  });

  it('begins to count anew at the end of an int64', async () => {
    await redis.set(keys.processed, '9223372036854775807');
    await broker.settle(await lease({ queue }), { kind: 'done' });
    expect(await redis.get(keys.processed)).toBe('1');
  });

  it('frees the lock of a unique task, and no lock of another', async () => {
    const uniqueKey = keys.unique('t', null);
    const mine = taskMessage({ queue, uniqueKey });
    await broker.enqueue({ message: mine, uniqueTtl: 60 });
    const [task] = (await broker.dequeue(queue, 1)).tasks as [LeasedTask];
    await broker.settle(task, { kind: 'done' });
    expect(await redis.exists(uniqueKey)).toBe(0);

    const late = await lease({ queue, uniqueKey });
    await redis.set(uniqueKey, 'another');
    await broker.settle(late, { kind: 'done' });
    expect(await redis.get(uniqueKey)).toBe('another');
  });

  it('lets a lock that lies elsewhere hold up nobody, and leaves it to its end', async () => {
    const uniqueKey = new QueueKeys(uniqueQueue()).unique('t', null);
    await Promise.all(
      [{ uniqueKey }, { uniqueKey, retention: 60 }, {}].map((how) => enqueue({ queue, ...how })),
    );
    await redis.set(uniqueKey, 'another');
    const { tasks } = await broker.dequeue(queue, 3);
    const results = await Promise.all(tasks.map((task) => broker.settle(task, { kind: 'done' })));
    expect(results).toEqual([true, true, true]);
    expect(await redis.get(uniqueKey)).toBe('another');
  });

  it('keeps a task with retention as completed, until it is over', async () => {
    const uniqueKey = keys.unique('t', null);
    const message = taskMessage({ queue, uniqueKey, retention: 3_600 });
    await broker.enqueue({ message, uniqueTtl: 60 });
    const [task] = (await broker.dequeue(queue, 1)).tasks as [LeasedTask];
    expect(await broker.settle(task, { kind: 'done' })).toBe(true);
    const dump = await dumpQueue(redis, queue);
    expect(dump).toMatchObject({ active: [], lease: {}, completed: { [task.id]: second() + 3_600 } });
    expect(dump.tasks[task.id]).toMatchObject({
      state: 'completed',
      message: { ...message, completedAt: second() },
    });
    expect(await counters()).toEqual([1, 1, 0, 0]);
    expect(await redis.exists(uniqueKey)).toBe(0);
  });
});

describe('revoke', () => {
  it('deletes the task whatever its retention, and counts it as processed', async () => {
    const task = await lease({ queue, retention: 3_600 });
    expect(await broker.settle(task, { kind: 'revoke' })).toBe(true);
    expect(await dumpQueue(redis, queue, [task.id])).toMatchObject({ active: [], lease: {}, completed: {} });
    expect(await redis.exists(keys.task(task.id))).toBe(0);
    expect(await counters()).toEqual([1, 1, 0, 0]);
  });
});

describe('retry', () => {
  it('waits for its second, one failure richer', async () => {
    const task = await lease({ queue, retried: 3 });
    expect(await broker.settle(task, retry)).toBe(true);
    const dump = await dumpQueue(redis, queue);
    const due = Math.floor((clock.now() + 90_000) / 1000);
    expect(dump).toMatchObject({ active: [], lease: {}, retry: { [task.id]: due } });
    expect(dump.tasks[task.id]).toEqual({
      state: 'retry',
      message: {
        ...task.message,
        retried: 4,
        errorMsg: 'no route',
        lastFailedAt: second(),
        payload: new Uint8Array(),
      },
    });
    expect(await counters()).toEqual([1, 1, 1, 1]);
    expect(await redis.ttl(keys.failedOn(clock.now()))).toBeGreaterThan(0);
  });

  it('that is no failure counts nowhere, and still says what happened', async () => {
    const task = await lease({ queue, retried: 3 });
    await broker.settle(task, { ...retry, isFailure: false });
    const { message } = await dumpTask(redis, queue, task.id);
    expect(message).toMatchObject({ retried: 3, errorMsg: 'no route', lastFailedAt: second() });
    expect(await counters()).toEqual([0, 0, 0, 0]);
  });

  it('counts the failures among those of one turn', async () => {
    const tasks = await leaseMany(5);
    await Promise.all(tasks.map((task, index) => broker.settle(task, { ...retry, isFailure: index < 3 })));
    expect(await counters()).toEqual([3, 3, 3, 3]);
  });

  it('keeps the lock of a unique task', async () => {
    const uniqueKey = keys.unique('t', null);
    await broker.enqueue({ message: taskMessage({ queue, uniqueKey }), uniqueTtl: 60 });
    const [task] = (await broker.dequeue(queue, 1)).tasks as [LeasedTask];
    await broker.settle(task, retry);
    expect(await redis.get(uniqueKey)).toBe(task.id);
  });

  it('keeps what a newer peer wrote into the message', async () => {
    const { id } = await enqueue({ queue });
    const newer = Buffer.concat([
      (await redis.hgetBuffer(keys.task(id), 'msg')) ?? Buffer.alloc(0),
      Buffer.from('82010161', 'hex'),
    ]);
    await redis.hset(keys.task(id), 'msg', newer);
    const [task] = (await broker.dequeue(queue, 1)).tasks as [LeasedTask];
    await broker.settle(task, retry);
    const msg = await redis.hgetBuffer(keys.task(id), 'msg');
    expect(msg?.toString('hex')).toMatch(/82010161$/);
    expect(decodeTaskMessage(msg ?? Buffer.alloc(0))).toMatchObject({ id, retried: 1 });
  });

  it('writes an error text that is not Unicode as well as it can', async () => {
    const task = await lease({ queue });
    await broker.settle(task, { ...retry, error: 'half \ud83d' });
    expect((await dumpTask(redis, queue, task.id)).message?.errorMsg).toBe('half \ufffd');
  });
});

describe('archive', () => {
  it('sets the task aside with its error, and counts it as failed', async () => {
    const task = await lease({ queue, retried: 25 });
    expect(await broker.settle(task, { kind: 'archive', error: 'hopeless' })).toBe(true);
    const dump = await dumpQueue(redis, queue);
    expect(dump).toMatchObject({ active: [], lease: {}, archived: { [task.id]: second() } });
    expect(dump.tasks[task.id]).toMatchObject({
      state: 'archived',
      message: { retried: 25, errorMsg: 'hopeless', lastFailedAt: second() },
    });
    expect(await counters()).toEqual([1, 1, 1, 1]);
  });

  it('drops what is older than 90 days, with its task', async () => {
    const [d91, d90, d89] = [91, 90, 89].map((days) => second() - days * 86_400) as [number, number, number];
    await redis.zadd(keys.archived, d91, 'ancient', d90, 'old', d89, 'young');
    await Promise.all(
      ['ancient', 'old', 'young'].map((id) => redis.hset(keys.task(id), 'state', 'archived')),
    );
    const task = await lease({ queue });
    await broker.settle(task, { kind: 'archive', error: 'x' });
    expect(await redis.zrange(keys.archived, '0', '-1')).toEqual(['young', task.id]);
    expect(await redis.exists(keys.task('ancient'), keys.task('old'))).toBe(0);
    expect(await redis.exists(keys.task('young'))).toBe(1);
  });

  it('keeps the 9,999 newest, a bounded step at a time', async () => {
    const old = Array.from({ length: 10_250 }, (_, index) => [
      String(second() - 20_000 + index),
      `old-${index}`,
    ]);
    await redis.zadd(keys.archived, ...old.flat());
    await redis.hset(keys.task('old-0'), 'state', 'archived');
    const sizes: number[] = [];
    for (let round = 0; round < 4; round++) {
      await broker.settle(await lease({ queue }), { kind: 'archive', error: 'x' });
      sizes.push(await redis.zcard(keys.archived));
    }
    expect(sizes).toEqual([10_150, 10_050, 9_999, 9_999]);
    expect(await redis.exists(keys.task('old-0'))).toBe(0);
    expect(await redis.zscore(keys.archived, 'old-10249')).not.toBeNull();
  });
});

describe('requeue', () => {
  it('makes the task the next again, as it was, pending from now on', async () => {
    const task = await lease({ queue, retried: 1 });
    await enqueue({ queue });
    await clock.advance(3_000);
    expect(await broker.settle(task, { kind: 'requeue' })).toBe(true);
    const dump = await dumpQueue(redis, queue);
    expect(dump).toMatchObject({ active: [], lease: {} });
    expect(dump.pending.at(-1)).toBe(task.id);
    expect(dump.tasks[task.id]).toEqual({
      state: 'pending',
      pending_since: `${clock.now()}000000`,
      message: { ...task.message, payload: new Uint8Array() },
    });
    expect(await counters()).toEqual([0, 0, 0, 0]);
  });

  it('makes the last of those given back in one turn the next to run, however many', async () => {
    const tasks = await leaseMany(200);
    await Promise.all(tasks.toReversed().map((task) => broker.settle(task, { kind: 'requeue' })));
    const { tasks: again } = await broker.dequeue(queue, 200);
    expect(again.map(({ id }) => id)).toEqual(tasks.map(({ id }) => id));
  });

  it('does not bring back a task that was deleted meanwhile', async () => {
    const task = await lease({ queue });
    await redis.del(keys.task(task.id));
    await broker.settle(task, { kind: 'requeue' });
    expect(await dumpQueue(redis, queue)).toMatchObject({ active: [], lease: {}, pending: [], tasks: {} });
    expect(await redis.exists(keys.task(task.id))).toBe(0);
  });
});

const SETTLEMENTS: readonly Settlement[] = [
  { kind: 'done' },
  { kind: 'revoke' },
  retry,
  { kind: 'archive', error: 'x' },
  { kind: 'requeue' },
];

describe.each(SETTLEMENTS)('$kind', (settlement) => {
  it('of a task that is not active any more changes nothing, and holds up no other', async () => {
    const [gone, ...others] = await leaseMany(3);
    if (gone === undefined) throw new Error('expected tasks');
    await redis.lrem(keys.active, 1, gone.id);
    const before = await dumpTask(redis, queue, gone.id);
    const results = await Promise.all([gone, ...others].map((task) => broker.settle(task, settlement)));
    expect(results).toEqual([false, true, true]);
    expect(await dumpTask(redis, queue, gone.id)).toEqual(before);
    expect((await dumpQueue(redis, queue)).active).toEqual([]);
  });

  it('done twice is done once', async () => {
    const task = await lease({ queue });
    expect(await broker.settle(task, settlement)).toBe(true);
    const [dump, counted] = [await dumpQueue(redis, queue), await counters()];
    expect(await broker.settle(task, settlement)).toBe(false);
    expect(await dumpQueue(redis, queue)).toEqual(dump);
    expect(await counters()).toEqual(counted);
  });

  it('is not written when the lease has ended', async () => {
    const task = await lease({ queue });
    const before = await dumpQueue(redis, queue);
    await clock.advance(30_000);
    expect(await broker.settle(task, settlement)).toBe(false);
    expect(await dumpQueue(redis, queue)).toEqual(before);
  });
});

it('settles all kinds in one turn, each task its own way', async () => {
  const tasks = await leaseMany(SETTLEMENTS.length * 30);
  const how = (index: number) => SETTLEMENTS[index % SETTLEMENTS.length] as Settlement;
  const results = await Promise.all(tasks.map((task, index) => broker.settle(task, how(index))));
  expect(results.every(Boolean)).toBe(true);
  const dump = await dumpQueue(redis, queue);
  const sizes = [dump.active, dump.pending, Object.keys(dump.retry), Object.keys(dump.archived)].map(
    (all) => all.length,
  );
  expect(sizes).toEqual([0, 30, 30, 30]);
  expect(await counters()).toEqual([120, 120, 60, 60]);
});
