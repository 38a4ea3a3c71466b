import { describe, expect, it } from 'vitest';
import { QUEUES_KEY, QueueKeys } from '../../../src/wire/keys.ts';
import { dumpQueue, dumpTask } from '../../support/queue-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn, HURTING_NAMES } from '../../support/redis-broker.ts';
import { taskMessage } from '../../support/task-messages.ts';

const redis = rawCluster();
const { broker, clock, second, enqueue } = brokerOn(testCluster());

describe('enqueue', () => {
  it('writes the task, puts it at the end of pending and lists its queue', async () => {
    const queue = uniqueQueue();
    const first = await enqueue({ queue, payload: new TextEncoder().encode('{"a":1}') });
    const then = await enqueue({ queue });
    const dump = await dumpQueue(redis, queue);
    expect(dump.pending).toEqual([then.id, first.id]);
    expect(dump.tasks[first.id]).toEqual({
      message: first,
      state: 'pending',
      pending_since: `${clock.now()}000000`,
    });
    expect(await redis.sismember(QUEUES_KEY, queue)).toBe(1);
  });

  it('refuses an id that is known, whatever its state, and leaves the first task alone', async () => {
    const queue = uniqueQueue();
    const first = await enqueue({ queue, payload: Buffer.from('first') });
    const before = await dumpQueue(redis, queue);
    const other = taskMessage({ queue, id: first.id, payload: Buffer.from('other') });
    await expect(broker.enqueue({ message: other })).rejects.toMatchObject({
      code: 'ASYNQ_TASK_ID_CONFLICT',
      message: expect.stringMatching(/^task ID conflicts with another task/),
    });
    await expect(broker.enqueue({ message: other, processAt: clock.now() + 60_000 })).rejects.toMatchObject({
      code: 'ASYNQ_TASK_ID_CONFLICT',
    });
    await expect(broker.enqueue({ message: other, group: 'g' })).rejects.toMatchObject({
      code: 'ASYNQ_TASK_ID_CONFLICT',
    });
    expect(await dumpQueue(redis, queue)).toEqual(before);
  });

  it('refuses the second of two tasks with one id that come in one turn', async () => {
    const queue = uniqueQueue();
    const message = taskMessage({ queue });
    const results = await Promise.allSettled([broker.enqueue({ message }), broker.enqueue({ message })]);
    expect(results).toEqual([
      { status: 'fulfilled', value: undefined },
      { status: 'rejected', reason: expect.objectContaining({ code: 'ASYNQ_TASK_ID_CONFLICT' }) },
    ]);
    expect((await dumpQueue(redis, queue)).pending).toEqual([message.id]);
  });

  it('keeps the order of what comes in one turn, however much', async () => {
    const queue = uniqueQueue();
    const messages = Array.from({ length: 300 }, () => taskMessage({ queue }));
    await Promise.all(messages.map((message) => broker.enqueue({ message })));
    expect((await dumpQueue(redis, queue)).pending.toReversed()).toEqual(messages.map(({ id }) => id));
  });

  it('takes large payloads', async () => {
    const queue = uniqueQueue();
    const payload = new Uint8Array(3 << 20).fill(7);
    const messages = [1, 2, 3].map(() => taskMessage({ queue, payload }));
    await Promise.all(messages.map((message) => broker.enqueue({ message })));
    const { tasks } = await dumpQueue(redis, queue);
    expect(messages.map(({ id }) => tasks[id]?.message?.payload.byteLength)).toEqual([
      3 << 20,
      3 << 20,
      3 << 20,
    ]);
  });

  it.each(HURTING_NAMES)('takes names as they are: %j', async (name) => {
    const queue = uniqueQueue(name);
    const pending = await enqueue({ queue, id: name, type: name });
    const aggregating = taskMessage({ queue, id: `${name}:g`, groupKey: name });
    await broker.enqueue({ message: aggregating, group: name });
    const dump = await dumpQueue(redis, queue);
    expect(dump.pending).toEqual([name]);
    expect(dump.groups).toEqual({ [name]: { [`${name}:g`]: second() } });
    expect(dump.tasks[name]?.message).toEqual(pending);
  });

  it('lists a queue again that was removed, a minute later', async () => {
    const queue = uniqueQueue();
    await enqueue({ queue });
    await redis.srem(QUEUES_KEY, queue);
    await enqueue({ queue });
    expect(await redis.sismember(QUEUES_KEY, queue)).toBe(0);
    await clock.advance(60_000);
    await enqueue({ queue });
    expect(await redis.sismember(QUEUES_KEY, queue)).toBe(1);
  });
});

const unique = (queue: string) => taskMessage({ queue, uniqueKey: new QueueKeys(queue).unique('t', null) });

describe('enqueue of a unique task', () => {
  it('takes the lock for as long as it is told, and writes where it is', async () => {
    const queue = uniqueQueue();
    const message = unique(queue);
    await broker.enqueue({ message, uniqueTtl: 90 });
    expect(await redis.get(message.uniqueKey)).toBe(message.id);
    expect(await redis.ttl(message.uniqueKey)).toBeOneOf([89, 90]);
    expect((await dumpTask(redis, queue, message.id))['unique_key']).toBe(message.uniqueKey);
  });

  it.each([
    ['pending', {}],
    ['scheduled', { processAt: clock.now() + 60_000 }],
    ['in a group', { group: 'g' }],
  ])('refuses its like, one %s', async (_, how) => {
    const queue = uniqueQueue();
    await broker.enqueue({ message: unique(queue), uniqueTtl: 90, ...how });
    const before = await dumpQueue(redis, queue);
    for (const other of [{}, { processAt: clock.now() + 60_000 }, { group: 'g' }]) {
      await expect(broker.enqueue({ message: unique(queue), uniqueTtl: 90, ...other })).rejects.toMatchObject(
        {
          code: 'ASYNQ_DUPLICATE_TASK',
          message: expect.stringMatching(/^task already exists/),
        },
      );
    }
    expect(await dumpQueue(redis, queue)).toEqual(before);
  });

  it.each([
    ['at once', {}],
    ['later', { processAt: clock.now() + 60_000 }],
    ['in a group', { group: 'g' }],
  ])('leaves no lock when its id is taken, %s', async (_, how) => {
    const queue = uniqueQueue();
    const { id } = await enqueue({ queue });
    const message = { ...unique(queue), id };
    await expect(broker.enqueue({ message, uniqueTtl: 90, ...how })).rejects.toMatchObject({
      code: 'ASYNQ_TASK_ID_CONFLICT',
    });
    expect(await redis.exists(message.uniqueKey)).toBe(0);
  });

  it('finds its lock among those of others in one turn', async () => {
    const queue = uniqueQueue();
    const keys = new QueueKeys(queue);
    const messages = Array.from({ length: 10 }, (_, i) => {
      const uniqueKey = i % 2 === 0 ? keys.unique(`t${i}`, null) : '';
      return taskMessage({ queue, uniqueKey });
    });
    await Promise.all(
      messages.map((message) =>
        broker.enqueue(message.uniqueKey === '' ? { message } : { message, uniqueTtl: 60 }),
      ),
    );
    for (const { id, uniqueKey } of messages.filter((_, i) => i % 2 === 0)) {
      expect(await redis.get(uniqueKey)).toBe(id);
    }
  });
});

describe('enqueue for later', () => {
  it('puts the task into scheduled with its second', async () => {
    const queue = uniqueQueue();
    const message = taskMessage({ queue });
    await broker.enqueue({ message, processAt: clock.now() + 90_900 });
    const dump = await dumpQueue(redis, queue);
    expect(dump.scheduled).toEqual({ [message.id]: Math.floor((clock.now() + 90_900) / 1000) });
    expect(dump.pending).toEqual([]);
    expect(dump.tasks[message.id]).toEqual({ message, state: 'scheduled' });
    expect(await redis.sismember(QUEUES_KEY, queue)).toBe(1);
  });

  it('gives each of those of one turn its own second', async () => {
    const queue = uniqueQueue();
    const messages = [3, 1, 2].map((minutes) => ({ minutes, message: taskMessage({ queue }) }));
    await Promise.all(
      messages.map(({ minutes, message }) =>
        broker.enqueue({ message, processAt: clock.now() + minutes * 60_000 }),
      ),
    );
    const expected = messages.map(({ minutes, message }) => [message.id, second() + minutes * 60]);
    expect((await dumpQueue(redis, queue)).scheduled).toEqual(Object.fromEntries(expected));
  });

  it('forgets the group, as asynq does', async () => {
    const queue = uniqueQueue();
    const message = taskMessage({ queue, groupKey: 'g' });
    await broker.enqueue({ message, processAt: clock.now() + 60_000, group: 'g' });
    expect((await dumpQueue(redis, queue)).tasks[message.id]).toEqual({ message, state: 'scheduled' });
  });
});

describe('enqueue into a group', () => {
  it('adds the task to the group, and the group to the groups', async () => {
    const queue = uniqueQueue();
    const message = taskMessage({ queue, groupKey: 'a' });
    const other = taskMessage({ queue, groupKey: 'b' });
    await Promise.all([
      broker.enqueue({ message, group: 'a' }),
      broker.enqueue({ message: other, group: 'b' }),
    ]);
    const dump = await dumpQueue(redis, queue);
    expect(dump.groups).toEqual({ a: { [message.id]: second() }, b: { [other.id]: second() } });
    expect(dump.tasks[message.id]).toEqual({ message, state: 'aggregating', group: 'a' });
    expect(dump.pending).toEqual([]);
  });
});
