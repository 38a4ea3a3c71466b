import { beforeEach, describe, expect, it } from 'vitest';
import { Inspector } from '../../../src/tasks/inspector.ts';
import type { TaskInfo } from '../../../src/tasks/task-info.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { TASK_STATES, type TaskState } from '../../../src/wire/states.ts';
import { decodeTaskMessage } from '../../../src/wire/task-message.ts';
import { goBroker } from '../../support/go-broker.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { GROUP, taskIn } from '../../support/task-in-state.ts';

/* Our inspector and Go's, on the same state: they see the same, and what either moves lies where the other's would. */

const redis = rawCluster();
const go = await goBroker();
const on = brokerOn(testCluster());
const { router, clock } = on;
const inspector = new Inspector(router, { clock });

let queue: string;
let keys: QueueKeys;
beforeEach(() => {
  queue = uniqueQueue();
  keys = new QueueKeys(queue);
});

const ask = (op: string, more: object = {}) => go.call(op, { queue, now: clock.now(), ...more });

/** A task as Go's broker hands it to its inspector; times are Unix seconds, 0 for none. */
interface Seen {
  readonly msg: string;
  readonly state: string;
  readonly nextProcessAt: number;
  readonly result: string | null;
}

/** What Go would show of it, from what we do. */
function asGoSees(info: TaskInfo): object {
  return {
    id: info.id,
    payload: info.payload.text(),
    headers: info.headers,
    retried: info.retried,
    lastErr: info.lastErr,
    lastFailedAt: (info.lastFailedAt?.getTime() ?? 0) / 1000,
    completedAt: (info.completedAt?.getTime() ?? 0) / 1000,
    state: info.state,
    nextProcessAt: Math.floor((info.nextProcessAt?.getTime() ?? 0) / 1000),
    result: info.result === undefined ? '' : Buffer.from(info.result).toString(),
  };
}

function seenByGo({ msg, state, nextProcessAt, result }: Seen): object {
  const message = decodeTaskMessage(Buffer.from(msg, 'base64'));
  return {
    id: message.id,
    payload: Buffer.from(message.payload).toString(),
    headers: message.headers,
    retried: message.retried,
    lastErr: message.errorMsg,
    lastFailedAt: message.lastFailedAt,
    completedAt: message.completedAt,
    state,
    nextProcessAt: Math.max(0, nextProcessAt),
    result: Buffer.from(result ?? '', 'base64').toString(),
  };
}

const LISTS: Readonly<Record<TaskState, [string, (page: object) => Promise<TaskInfo[]>]>> = {
  pending: ['ListPending', (page) => inspector.listPendingTasks(queue, page)],
  active: ['ListActive', (page) => inspector.listActiveTasks(queue, page)],
  scheduled: ['ListScheduled', (page) => inspector.listScheduledTasks(queue, page)],
  retry: ['ListRetry', (page) => inspector.listRetryTasks(queue, page)],
  archived: ['ListArchived', (page) => inspector.listArchivedTasks(queue, page)],
  completed: ['ListCompleted', (page) => inspector.listCompletedTasks(queue, page)],
  aggregating: ['ListAggregating', (page) => inspector.listAggregatingTasks(queue, GROUP, page)],
};

it.each(TASK_STATES)('both show the same of tasks that are %s, alone and page by page', async (state) => {
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) {
    const payload = Buffer.from(`payload ${n}`);
    const { id } = await taskIn(state, on, { queue, payload, headers: { n: String(n) } });
    if (n === 3) await redis.hset(keys.task(id), 'result', '42 rows');
    ids.push(id);
    await clock.advance(1_000);
  }
  for (const id of ids) {
    const seen = (await ask('GetTaskInfo', { id })) as Seen;
    expect(asGoSees(await inspector.getTaskInfo(queue, id))).toEqual(seenByGo(seen));
  }
  const [op, list] = LISTS[state];
  for (const page of [1, 2, 3, 4]) {
    const seen = (await ask(op, { group: GROUP, size: 2, page: page - 1 })) as Seen[];
    expect((await list({ pageSize: 2, page })).map(asGoSees)).toEqual(seen.map(seenByGo));
  }
});

it('both count the same in a queue', async () => {
  for (const state of TASK_STATES.filter((one) => one !== 'pending')) await taskIn(state, on, { queue });
  for (let n = 0; n < 25; n++) {
    await taskIn('pending', on, { queue, payload: Buffer.alloc(100) });
    await taskIn('aggregating', on, { queue });
  }
  await redis.set(keys.processedOn(clock.now() - 86_400_000), '12');
  await inspector.pauseQueue(queue);
  await clock.advance(3_000);
  const info = await inspector.getQueueInfo(queue);
  expect(await ask('CurrentStats')).toMatchObject({
    Queue: queue,
    MemoryUsage: info.memoryUsageBytes,
    Latency: (info.latencySeconds ?? 0) * 1e9,
    Size: info.size,
    Groups: info.groups,
    Pending: info.pending,
    Active: info.active,
    Scheduled: info.scheduled,
    Retry: info.retry,
    Archived: info.archived,
    Completed: info.completed,
    Aggregating: info.aggregating,
    Processed: info.processed,
    Failed: info.failed,
    ProcessedTotal: info.processedTotal,
    FailedTotal: info.failedTotal,
    Paused: info.paused,
  });
  const days = (await inspector.history(queue, 3)).map(({ processed, failed }) => ({ processed, failed }));
  const theirs = (await ask('HistoricalStats', { size: 3 })) as { Processed: number; Failed: number }[];
  expect(days).toEqual(theirs.map((day) => ({ processed: day.Processed, failed: day.Failed })));
  const groups = (await ask('GroupStats')) as { Group: string; Size: number }[];
  expect(await inspector.groups(queue)).toEqual(groups.map((one) => ({ group: one.Group, size: one.Size })));
});

type Change = readonly [
  op: string,
  states: readonly TaskState[],
  ours: (q: string, id: string) => Promise<unknown>,
];

const CHANGES: readonly Change[] = [
  [
    'RunTask',
    ['scheduled', 'retry', 'archived', 'completed', 'aggregating'],
    (q, id) => inspector.runTask(q, id),
  ],
  [
    'ArchiveTask',
    ['pending', 'scheduled', 'retry', 'completed', 'aggregating'],
    (q, id) => inspector.archiveTask(q, id),
  ],
  [
    'DeleteTask',
    ['pending', 'scheduled', 'retry', 'archived', 'completed', 'aggregating'],
    (q, id) => inspector.deleteTask(q, id),
  ],
  ['UpdateTaskPayload', ['scheduled'], (q, id) => inspector.updateTaskPayload(q, id, Buffer.from('new'))],
  ['RunAllScheduledTasks', ['scheduled'], (q) => inspector.runAllScheduledTasks(q)],
  ['RunAllRetryTasks', ['retry'], (q) => inspector.runAllRetryTasks(q)],
  ['RunAllArchivedTasks', ['archived'], (q) => inspector.runAllArchivedTasks(q)],
  ['RunAllAggregatingTasks', ['aggregating'], (q) => inspector.runAllAggregatingTasks(q, GROUP)],
  ['ArchiveAllPendingTasks', ['pending'], (q) => inspector.archiveAllPendingTasks(q)],
  ['ArchiveAllScheduledTasks', ['scheduled'], (q) => inspector.archiveAllScheduledTasks(q)],
  ['ArchiveAllRetryTasks', ['retry'], (q) => inspector.archiveAllRetryTasks(q)],
  ['ArchiveAllAggregatingTasks', ['aggregating'], (q) => inspector.archiveAllAggregatingTasks(q, GROUP)],
  ['DeleteAllPendingTasks', ['pending'], (q) => inspector.deleteAllPendingTasks(q)],
  ['DeleteAllScheduledTasks', ['scheduled'], (q) => inspector.deleteAllScheduledTasks(q)],
  ['DeleteAllRetryTasks', ['retry'], (q) => inspector.deleteAllRetryTasks(q)],
  ['DeleteAllArchivedTasks', ['archived'], (q) => inspector.deleteAllArchivedTasks(q)],
  ['DeleteAllCompletedTasks', ['completed'], (q) => inspector.deleteAllCompletedTasks(q)],
  ['DeleteAllAggregatingTasks', ['aggregating'], (q) => inspector.deleteAllAggregatingTasks(q, GROUP)],
];

/** Where all is, but for what we do otherwise: since when a task is pending, and that it has left its group. */
async function layout(of: string): Promise<unknown> {
  const { tasks, ...lists } = await dumpQueue(redis, of, ['a', 'b']);
  const plain = Object.entries(tasks).map(
    ([id, { pending_since: _since, group: _group, message, ...task }]) => [
      id,
      { ...task, message: message && { ...message, queue: '' } },
    ],
  );
  return { ...lists, tasks: Object.fromEntries(plain) };
}

const CASES = CHANGES.flatMap(([op, states, ours]) => states.map((state) => ({ op, state, ours })));

it.each(CASES)('$op of $state tasks leaves what the other would', async ({ op, state, ours }) => {
  const theirs = uniqueQueue();
  for (const name of [queue, theirs]) {
    for (const id of ['a', 'b']) await taskIn(state, on, { queue: name, id });
  }
  const call = { queue: theirs, now: clock.now(), id: 'a', group: GROUP, data: btoa('new') };
  expect(await ours(queue, 'a')).toEqual((await go.call(op, call)) ?? undefined);
  expect(await layout(queue)).toEqual(await layout(theirs));
});

describe('Go refuses what we refuse', () => {
  const REFUSED: readonly [op: string, state: TaskState, ours: (id: string) => Promise<unknown>][] = [
    ['RunTask', 'active', (id) => inspector.runTask(queue, id)],
    ['RunTask', 'pending', (id) => inspector.runTask(queue, id)],
    ['ArchiveTask', 'active', (id) => inspector.archiveTask(queue, id)],
    ['ArchiveTask', 'archived', (id) => inspector.archiveTask(queue, id)],
    ['DeleteTask', 'active', (id) => inspector.deleteTask(queue, id)],
    ['UpdateTaskPayload', 'pending', (id) => inspector.updateTaskPayload(queue, id, 'x')],
    ['RemoveQueue', 'pending', () => inspector.deleteQueue(queue)],
    ['Unpause', 'pending', () => inspector.unpauseQueue(queue)],
  ];
  it.each(REFUSED)('%s of a task that is %s', async (op, state, ours) => {
    const { id } = await taskIn(state, on, { queue });
    const theirs = ask(op, { id, data: btoa('x') });
    const text: string = await theirs.then(String, (error: Error) => error.message);
    const ourText: string = await ours(id).then(String, (error: Error) => error.message);
    // Go's texts begin with their code, ours end with what it was about.
    expect(text).toContain(ourText.replace(/: (id|queue)=.*/, ''));
  });
});
