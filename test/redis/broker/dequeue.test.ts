import { expect, it } from 'vitest';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { dumpQueue, dumpTask } from '../../support/queue-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn, HURTING_NAMES } from '../../support/redis-broker.ts';
import { taskMessage } from '../../support/task-messages.ts';
import { until } from '../../support/until.ts';

const redis = rawCluster();
const { broker, second, enqueue, logged } = brokerOn(testCluster());

const logOf = (taskId: string) =>
  logged.filter(({ fields }) => fields['taskId'] === taskId || String(fields['taskIds']).includes(taskId));

it('moves the oldest tasks to active under a lease of half a minute', async () => {
  const queue = uniqueQueue();
  const [a, b, c] = [await enqueue({ queue }), await enqueue({ queue }), await enqueue({ queue })];
  const { tasks } = await broker.dequeue(queue, 2);
  const leaseExpiresAt = (second() + 30) * 1000;
  expect(tasks).toEqual([
    { queue, id: a.id, message: { ...a, payload: expect.anything() }, leaseExpiresAt },
    { queue, id: b.id, message: { ...b, payload: expect.anything() }, leaseExpiresAt },
  ]);
  const dump = await dumpQueue(redis, queue);
  expect(dump.pending).toEqual([c.id]);
  // As two single dequeues of Go would have left them.
  expect(dump.active).toEqual([b.id, a.id]);
  expect(dump.lease).toEqual({ [a.id]: second() + 30, [b.id]: second() + 30 });
  expect(dump.tasks[a.id]).toEqual({ message: a, state: 'active' });
  expect(dump.tasks[c.id]).toMatchObject({ state: 'pending' });
});

it('takes nothing from a paused queue', async () => {
  const queue = uniqueQueue();
  const { id } = await enqueue({ queue });
  await redis.set(new QueueKeys(queue).paused, second());
  expect(await broker.dequeue(queue, 5)).toEqual({ tasks: [], reason: 'paused' });
  await redis.del(new QueueKeys(queue).paused);
  expect((await broker.dequeue(queue, 5)).tasks).toMatchObject([{ id }]);
});

it('leaves an empty queue without a trace', async () => {
  const queue = uniqueQueue();
  expect(await broker.dequeue(queue, 5)).toEqual({ tasks: [], reason: 'empty' });
  expect(await redis.exists(new QueueKeys(queue).active)).toBe(0);
});

it('drops an id whose task is gone, says so, and leaves no ghost', async () => {
  const queue = uniqueQueue();
  const [gone, there] = [await enqueue({ queue }), await enqueue({ queue })];
  await redis.del(new QueueKeys(queue).task(gone.id));
  const { tasks, reason } = await broker.dequeue(queue, 5);
  expect(tasks.map(({ id }) => id)).toEqual([there.id]);
  expect(reason).toBe('empty');
  const dump = await dumpQueue(redis, queue);
  expect(dump).toMatchObject({ pending: [], active: [there.id], lease: { [there.id]: second() + 30 } });
  expect(await redis.exists(new QueueKeys(queue).task(gone.id))).toBe(0);
  expect(logOf(gone.id)).toMatchObject([{ level: 'warn', fields: { queue } }]);
});

it('archives a message that does not decode, with the reason, and goes on with the others', async () => {
  const queue = uniqueQueue();
  const keys = new QueueKeys(queue);
  const [before, broken, after] = [
    await enqueue({ queue }),
    await enqueue({ queue }),
    await enqueue({ queue }),
  ];
  const garbage = Buffer.from('not a message');
  await redis.hset(keys.task(broken.id), 'msg', garbage);

  const { tasks } = await broker.dequeue(queue, 5);
  expect(tasks.map(({ id }) => id)).toEqual([before.id, after.id]);
  await until(() => redis.zscore(keys.archived, broken.id), { what: 'the message to be archived' });

  const dump = await dumpQueue(redis, queue);
  expect(dump.archived).toEqual({ [broken.id]: second() });
  expect(dump.active).toEqual([after.id, before.id]);
  expect(dump.tasks[broken.id]).toMatchObject({
    state: 'archived',
    message: {
      id: broken.id,
      queue,
      type: 'asynq:unreadable',
      payload: new Uint8Array(garbage),
      errorMsg: expect.stringContaining('expected a task message, got 13 bytes'),
      lastFailedAt: second(),
    },
  });
  expect(await redis.get(keys.failed)).toBe('1');
  expect(logOf(broken.id)).toMatchObject([{ level: 'error', fields: { queue, taskId: broken.id } }]);
});

it('takes fewer tasks when they are large, and says that there are more', async () => {
  const queue = uniqueQueue();
  const payload = new Uint8Array(1_500_000);
  const messages = Array.from({ length: 5 }, () => taskMessage({ queue, payload }));
  await Promise.all(messages.map((message) => broker.enqueue({ message })));
  const first = await broker.dequeue(queue, 5);
  expect(first).toMatchObject({ reason: 'ok', tasks: messages.slice(0, 3).map(({ id }) => ({ id })) });
  const rest = await broker.dequeue(queue, 5);
  expect(rest).toMatchObject({ reason: 'empty', tasks: messages.slice(3).map(({ id }) => ({ id })) });
});

it('takes a task that is larger than all that one call should bring', async () => {
  const queue = uniqueQueue();
  const { id } = await enqueue({ queue, payload: new Uint8Array(6 << 20) });
  expect((await broker.dequeue(queue, 5)).tasks).toMatchObject([{ id }]);
});

it('brings hundreds at once, and each only once', async () => {
  const queue = uniqueQueue();
  const messages = Array.from({ length: 700 }, () => taskMessage({ queue }));
  await Promise.all(messages.map((message) => broker.enqueue({ message })));
  const replies = await Promise.all([1, 2, 3, 4].map(() => broker.dequeue(queue, 1_000)));
  expect(replies.flatMap(({ tasks }) => tasks.map(({ id }) => id))).toEqual(messages.map(({ id }) => id));
});

it.each(HURTING_NAMES)('reads names as they are: %j', async (name) => {
  const queue = uniqueQueue(name);
  const sent = await enqueue({ queue, id: name, type: name, headers: { [name]: name } });
  const { tasks } = await broker.dequeue(queue, 1);
  expect(tasks).toMatchObject([{ queue, id: name, message: { type: name, headers: sent.headers } }]);
  expect(await dumpTask(redis, queue, name)).toMatchObject({ state: 'active' });
});

it('takes nothing when nothing is asked for', async () => {
  const queue = uniqueQueue();
  const { id } = await enqueue({ queue });
  expect(await broker.dequeue(queue, 0)).toEqual({ tasks: [], reason: 'ok' });
  expect((await dumpQueue(redis, queue)).pending).toEqual([id]);
});

it('never gives one task to two who ask at the same time', async () => {
  const queue = uniqueQueue();
  const messages = Array.from({ length: 40 }, () => taskMessage({ queue }));
  await Promise.all(messages.map((message) => broker.enqueue({ message })));
  const replies = await Promise.all(Array.from({ length: 20 }, () => broker.dequeue(queue, 3)));
  const ids = replies.flatMap(({ tasks }) => tasks.map(({ id }) => id));
  expect(ids.toSorted()).toEqual(messages.map(({ id }) => id).toSorted());
});
