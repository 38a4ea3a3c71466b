import { beforeEach, expect, it } from 'vitest';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { taskMessage } from '../../support/task-messages.ts';

const redis = rawCluster();
const { broker, clock, second, lease, logged } = brokerOn(testCluster());

let queue: string;
let keys: QueueKeys;
beforeEach(() => {
  queue = uniqueQueue();
  keys = new QueueKeys(queue);
});

async function schedule(seconds: number): Promise<string> {
  const message = taskMessage({ queue });
  await broker.enqueue({ message, processAt: clock.now() + seconds * 1000 });
  return message.id;
}

async function retryIn(seconds: number): Promise<string> {
  const task = await lease({ queue });
  await broker.settle(task, { kind: 'retry', at: clock.now() + seconds * 1000, error: 'x', isFailure: true });
  return task.id;
}

it('moves what is due, from scheduled and retry, and tells what is due next', async () => {
  const failed = await retryIn(5);
  const soon = await schedule(10);
  const later = await schedule(60);
  const latest = await retryIn(50);
  await clock.advance(10_000);
  expect(await broker.forward(queue)).toEqual({ moved: 2, nextDue: second() + 40 });
  const dump = await dumpQueue(redis, queue);
  expect(dump.pending.toSorted()).toEqual([failed, soon].toSorted());
  expect(dump.scheduled).toEqual({ [later]: second() + 50 });
  expect(dump.retry).toEqual({ [latest]: second() + 40 });
  expect(dump.tasks[soon]).toMatchObject({ state: 'pending', pending_since: `${clock.now()}000000` });
  expect(dump.tasks[later]).toMatchObject({ state: 'scheduled' });
});

it('has nothing to say of an empty queue', async () => {
  expect(await broker.forward(queue)).toEqual({ moved: 0, nextDue: undefined });
});

it('moves all that is due, however many, the earliest to run first', async () => {
  const messages = Array.from({ length: 250 }, () => taskMessage({ queue }));
  await Promise.all(
    messages.map((message, index) =>
      broker.enqueue({ message, processAt: clock.now() + (1 + index) * 1000 }),
    ),
  );
  await clock.advance(250_000);
  expect(await broker.forward(queue)).toEqual({ moved: 250, nextDue: undefined });
  expect((await dumpQueue(redis, queue)).pending.toReversed()).toEqual(messages.map(({ id }) => id));
});

it('brings a task that belongs to a group into it, and announces the group', async () => {
  const id = await schedule(1);
  await redis.hset(keys.task(id), 'group', 'g');
  await clock.advance(2_000);
  expect(await broker.forward(queue)).toEqual({ moved: 1, nextDue: undefined });
  const dump = await dumpQueue(redis, queue);
  expect(dump.groups).toEqual({ g: { [id]: second() } });
  expect(dump.tasks[id]).toMatchObject({ state: 'aggregating' });
  expect(dump.pending).toEqual([]);
});

it('drops an id whose task is gone, and says so', async () => {
  const gone = await schedule(1);
  const there = await schedule(1);
  await redis.del(keys.task(gone));
  await clock.advance(2_000);
  expect(await broker.forward(queue)).toEqual({ moved: 1, nextDue: undefined });
  expect(await dumpQueue(redis, queue)).toMatchObject({ pending: [there], scheduled: {} });
  expect(await redis.exists(keys.task(gone))).toBe(0);
  expect(logged.at(-1)).toMatchObject({ level: 'warn', fields: { queue, taskIds: [gone] } });
});
