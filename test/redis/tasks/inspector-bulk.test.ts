import { beforeEach, expect, it } from 'vitest';
import type { LeasedTask } from '../../../src/broker/broker.ts';
import { Inspector } from '../../../src/tasks/inspector.ts';
import type { BulkOptions } from '../../../src/tasks/inspector-options.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { TASK_STATES, type TaskState } from '../../../src/wire/states.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { dumpKeys } from '../../support/queue-keys-dump.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { GROUP, taskIn } from '../../support/task-in-state.ts';
import { taskMessage } from '../../support/task-messages.ts';

const redis = rawCluster();
const on = brokerOn(testCluster());
const { broker, router, clock, second } = on;
const log = new RecordingLogger();
const inspector = new Inspector(router, { clock, log });

let queue: string;
let keys: QueueKeys;
beforeEach(() => {
  queue = uniqueQueue();
  keys = new QueueKeys(queue);
});

type Bulk = (bulk?: BulkOptions) => Promise<number>;

const DELETIONS: readonly (readonly [TaskState, Bulk])[] = [
  ['pending', (bulk) => inspector.deleteAllPendingTasks(queue, bulk)],
  ['scheduled', (bulk) => inspector.deleteAllScheduledTasks(queue, bulk)],
  ['retry', (bulk) => inspector.deleteAllRetryTasks(queue, bulk)],
  ['archived', (bulk) => inspector.deleteAllArchivedTasks(queue, bulk)],
  ['completed', (bulk) => inspector.deleteAllCompletedTasks(queue, bulk)],
  ['aggregating', (bulk) => inspector.deleteAllAggregatingTasks(queue, GROUP, bulk)],
];

const RUNS: readonly (readonly [TaskState, Bulk])[] = [
  ['scheduled', (bulk) => inspector.runAllScheduledTasks(queue, bulk)],
  ['retry', (bulk) => inspector.runAllRetryTasks(queue, bulk)],
  ['archived', (bulk) => inspector.runAllArchivedTasks(queue, bulk)],
  ['aggregating', (bulk) => inspector.runAllAggregatingTasks(queue, GROUP, bulk)],
];

const ARCHIVALS: readonly (readonly [TaskState, Bulk])[] = [
  ['pending', (bulk) => inspector.archiveAllPendingTasks(queue, bulk)],
  ['scheduled', (bulk) => inspector.archiveAllScheduledTasks(queue, bulk)],
  ['retry', (bulk) => inspector.archiveAllRetryTasks(queue, bulk)],
  ['aggregating', (bulk) => inspector.archiveAllAggregatingTasks(queue, GROUP, bulk)],
];

/** One task in each other state, by which a test sees that nothing else was touched. */
async function bystanders(not: TaskState): Promise<Map<TaskState, string>> {
  const ids = new Map<TaskState, string>();
  // Those that come through pending first, so that it holds no other.
  const order = TASK_STATES.filter((state) => state !== 'pending');
  for (const state of [...order, 'pending' as const]) {
    if (state !== not) ids.set(state, (await taskIn(state, on, { queue })).id);
  }
  return ids;
}

/** Three tasks in the state, with locks, among the others. */
async function arrange(state: TaskState): Promise<{ ids: string[]; others: Map<TaskState, string> }> {
  if (state === 'pending') {
    const others = await bystanders(state);
    return { ids: await three(state), others };
  }
  return { ids: await three(state), others: await bystanders(state) };
}

async function three(state: TaskState): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) {
    const uniqueKey = keys.unique('t', Buffer.from(`${state} ${n}`));
    ids.push((await taskIn(state, on, { queue, uniqueKey }, 600)).id);
  }
  return ids;
}

it.each(DELETIONS)(
  'deletes all that are %s, with their locks, and nothing else',
  async (state, deleteAll) => {
    const { ids, others } = await arrange(state);
    expect(await deleteAll()).toBe(3);
    const after = await dumpQueue(redis, queue);
    expect(Object.keys(after.tasks).toSorted()).toEqual([...others.values()].toSorted());
    const left = await dumpKeys(router, queue);
    expect(left.filter(({ key }) => key.includes(':unique:'))).toEqual([]);
    expect(left.filter(({ key }) => ids.some((id) => key.includes(id)))).toEqual([]);
    expect(await redis.smembers(keys.groups)).toEqual(state === 'aggregating' ? [] : [GROUP]);
  },
);

it.each(RUNS)('runs all that are %s, the first first, and nothing else', async (state, runAll) => {
  const { ids, others } = await arrange(state);
  expect(await runAll()).toBe(3);
  const { pending, tasks, groups } = await dumpQueue(redis, queue);
  expect(pending.at(-1)).toBe(others.get('pending'));
  // Of one score, they come by their ids.
  expect(pending.slice(0, -1).toReversed()).toEqual(ids.toSorted());
  for (const id of ids) {
    expect(tasks[id]).toMatchObject({ state: 'pending', pending_since: `${clock.now()}000000` });
  }
  expect(Object.keys(groups)).toEqual(state === 'aggregating' ? [] : [GROUP]);
  others.delete('pending');
  for (const [other, id] of others) expect(tasks[id]).toMatchObject({ state: other });
});

it.each(ARCHIVALS)('archives all that are %s, and nothing else', async (state, archiveAll) => {
  const { ids, others } = await arrange(state);
  expect(await archiveAll()).toBe(3);
  const { archived, tasks, groups, pending } = await dumpQueue(redis, queue);
  expect(Object.keys(archived).toSorted()).toEqual([...ids, others.get('archived') ?? ''].toSorted());
  for (const id of ids) {
    expect(archived[id]).toBe(second());
    expect(tasks[id]).toMatchObject({ state: 'archived' });
  }
  expect(pending).toEqual(state === 'pending' ? [] : [others.get('pending')]);
  expect(Object.keys(groups)).toEqual(state === 'aggregating' ? [] : [GROUP]);
});

async function fill(count: number, how: { processAt?: number } = {}): Promise<string[]> {
  const messages = Array.from({ length: count }, (_, n) => taskMessage({ queue, id: String(n) }));
  await Promise.all(messages.map((message) => broker.enqueue({ message, ...how })));
  return messages.map(({ id }) => id);
}

it('tells after each batch how far it is, and stops after one when it is told to', async () => {
  await fill(300);
  const stop = new AbortController();
  const seen: [number, number][] = [];
  const onProgress = (done: number, total: number) => {
    seen.push([done, total]);
    if (done >= 200) stop.abort();
  };
  expect(await inspector.archiveAllPendingTasks(queue, { onProgress, signal: stop.signal })).toBe(256);
  expect(seen).toEqual([
    [128, 300],
    [256, 300],
  ]);
  expect(await redis.llen(keys.pending)).toBe(44);
  expect(await inspector.archiveAllPendingTasks(queue, { signal: stop.signal })).toBe(0);
  expect(await inspector.archiveAllPendingTasks(queue)).toBe(44);
});

it('ends although the queue is filled as fast as it is emptied', async () => {
  await fill(256);
  let more = 0;
  const onProgress = () => {
    void fillBehind();
  };
  const fillBehind = async () => {
    const messages = Array.from({ length: 200 }, () => taskMessage({ queue }));
    more += messages.length;
    await Promise.all(messages.map((message) => broker.enqueue({ message })));
  };
  expect(await inspector.deleteAllPendingTasks(queue, { onProgress })).toBe(256);
  await expect.poll(() => redis.llen(keys.pending)).toBe(more);
});

it('leaves to servers what they have taken, whatever they give back meanwhile', async () => {
  const ids = await fill(500);
  const [first] = (await broker.dequeue(queue, 1)).tasks;
  if (first === undefined) throw new Error('expected a task');
  const atWork: Promise<LeasedTask[]>[] = [];
  const work = async () => {
    const { tasks } = await broker.dequeue(queue, 20);
    await broker.settle(first, { kind: 'requeue' });
    return tasks;
  };
  const onProgress = () => void atWork.push(work());
  const archived = await inspector.archiveAllPendingTasks(queue, { onProgress });
  const taken = (await Promise.all(atWork)).flat().filter(({ id }) => id !== first.id);
  const after = await dumpQueue(redis, queue);
  expect(after.active.filter((id) => id !== first.id).toSorted()).toEqual(
    taken.map(({ id }) => id).toSorted(),
  );
  expect(Object.keys(after.archived)).toHaveLength(archived);
  const everywhere = [...after.pending, ...after.active, ...Object.keys(after.archived)];
  expect(everywhere.toSorted()).toEqual(ids.toSorted());
});

it('drops ids whose task is gone, and says so', async () => {
  const [lost = '', spoilt = '', ...others] = await fill(4, { processAt: clock.now() + 60_000 });
  await redis.del(keys.task(lost));
  await redis.hdel(keys.task(spoilt), 'msg');
  expect(await inspector.runAllScheduledTasks(queue)).toBe(2);
  const { pending, tasks, scheduled } = await dumpQueue(redis, queue);
  expect({ pending: pending.toSorted(), scheduled }).toEqual({ pending: others, scheduled: {} });
  expect(Object.keys(tasks).toSorted()).toEqual(others);
  expect(log.entries.at(-1)?.fields).toMatchObject({ queue, taskIds: [lost, spoilt] });
});

it('keeps the newest 9,999 archived tasks, and leaves nothing of the others', async () => {
  const old = Array.from({ length: 10_050 }, (_, n) => [String(second() - 20_000 + n), `old-${n}`]).flat();
  await redis.zadd(keys.archived, ...old);
  const lock = keys.unique('t', null);
  for (const [n, extra] of [{}, { unique_key: lock }].entries()) {
    await redis.hset(keys.task(`old-${n}`), { msg: 'm', state: 'archived', ...extra });
  }
  await redis.set(lock, 'old-1');
  const { id } = await taskIn('pending', on, { queue });
  await inspector.archiveTask(queue, id);
  expect(await redis.zcard(keys.archived)).toBe(9_999);
  expect(await redis.exists(keys.task('old-0'))).toBe(0);
  expect(await redis.exists(keys.task('old-1'))).toBe(0);
  expect(await redis.exists(lock)).toBe(0);
  expect(await redis.zscore(keys.archived, id)).not.toBeNull();
});

it('drops archived tasks of more than 90 days', async () => {
  const daysAgo = (days: number) => String(second() - days * 24 * 3600);
  await redis.zadd(keys.archived, daysAgo(90), 'old', daysAgo(89), 'young');
  await redis.hset(keys.task('old'), { msg: 'm', state: 'archived' });
  const { id } = await taskIn('scheduled', on, { queue });
  expect(await inspector.archiveAllScheduledTasks(queue)).toBe(1);
  expect((await redis.zrange(keys.archived, '0', '-1')).toSorted()).toEqual([id, 'young'].toSorted());
  expect(await redis.exists(keys.task('old'))).toBe(0);
});

it("frees a lock that only the message names, as Go's client leaves it in a group", async () => {
  const lock = keys.unique('t', null);
  const { id } = await taskIn('aggregating', on, { queue, uniqueKey: lock }, 600);
  await redis.hdel(keys.task(id), 'unique_key');
  expect(await inspector.deleteAllAggregatingTasks(queue, GROUP)).toBe(1);
  expect(await redis.exists(lock)).toBe(0);
});

it.each([...DELETIONS, ...RUNS, ...ARCHIVALS])(
  'tells an empty queue from none when all that are %s are asked for',
  async (_, all) => {
    await expect(all()).rejects.toMatchObject({ code: 'ASYNQ_QUEUE_NOT_FOUND' });
    await taskIn('active', on, { queue });
    expect(await all()).toBe(0);
  },
);
