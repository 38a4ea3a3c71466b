import { beforeEach, expect, it } from 'vitest';
import { Inspector } from '../../../src/tasks/inspector.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { goBroker } from '../../support/go-broker.ts';
import { dumpKeys } from '../../support/queue-keys-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { GROUP, taskIn } from '../../support/task-in-state.ts';

/* Known faults of Go's inspector, each beside what ours does in its place. */

const redis = rawCluster();
const go = await goBroker();
const on = brokerOn(testCluster());
const { broker, router, clock, second } = on;
const inspector = new Inspector(router, { clock });

let queue: string;
let keys: QueueKeys;
beforeEach(() => another());

function another(): void {
  queue = uniqueQueue();
  keys = new QueueKeys(queue);
}

const ask = (op: string, more: object = {}) => go.call(op, { queue, now: clock.now(), ...more });

it('Go leaves the hashes of archived tasks that it drops, which block their ids; we do not', async () => {
  const fill = async () => {
    const old = Array.from({ length: 9_999 }, (_, n) => [String(second() - 20_000 + n), `old-${n}`]).flat();
    await redis.zadd(keys.archived, ...old);
    await redis.hset(keys.task('old-0'), { msg: 'm', state: 'archived' });
    return taskIn('scheduled', on, { queue });
  };
  const theirs = await fill();
  await ask('ArchiveTask', { id: theirs.id });
  expect(await redis.zscore(keys.archived, 'old-0')).toBeNull();
  expect(await redis.exists(keys.task('old-0'))).toBe(1);

  another();
  const ours = await fill();
  await inspector.archiveTask(queue, ours.id);
  expect(await redis.zscore(keys.archived, 'old-0')).toBeNull();
  expect(await redis.exists(keys.task('old-0'))).toBe(0);
});

it.each([
  ['pending', 'DeleteAllPendingTasks', () => inspector.deleteAllPendingTasks(queue)],
  ['aggregating', 'DeleteAllAggregatingTasks', () => inspector.deleteAllAggregatingTasks(queue, GROUP)],
] as const)('Go keeps the locks of all %s tasks that it deletes; we do not', async (state, op, ours) => {
  const place = () => taskIn(state, on, { queue, uniqueKey: keys.unique('t', null) }, 600);
  await place();
  await ask(op, { group: GROUP });
  expect(await redis.exists(keys.unique('t', null))).toBe(1);

  another();
  await place();
  await ours();
  expect(await redis.exists(keys.unique('t', null))).toBe(0);
});

it("Go forgets the lock of a grouped task that its client made; we read it in the task's message", async () => {
  const place = async () => {
    const lock = keys.unique('t', null);
    const { id } = await taskIn('aggregating', on, { queue, uniqueKey: lock }, 600);
    await redis.hdel(keys.task(id), 'unique_key');
    return { id, lock };
  };
  const theirs = await place();
  await ask('DeleteTask', { id: theirs.id });
  expect(await redis.exists(theirs.lock)).toBe(1);

  another();
  const ours = await place();
  await inspector.deleteTask(queue, ours.id);
  expect(await redis.exists(ours.lock)).toBe(0);
});

it('Go tells no latency of tasks that were run by hand; we do', async () => {
  const run = async (how: (id: string) => Promise<unknown>) => {
    const { id } = await taskIn('archived', on, { queue });
    await how(id);
    await clock.advance(5_000);
    return { go: await ask('CurrentStats'), ours: await inspector.getQueueInfo(queue) };
  };
  const theirs = await run((id) => ask('RunTask', { id }));
  expect(theirs.go).toMatchObject({ Latency: 0 });
  expect(theirs.ours.latencySeconds).toBeUndefined();

  another();
  const ours = await run((id) => inspector.runTask(queue, id));
  expect(ours.go).toMatchObject({ Latency: 5e9 });
  expect(ours.ours.latencySeconds).toBe(5);
});

it('Go loses a grouped task that was run by hand and failed; ours is tried again', async () => {
  const fail = async (how: (id: string) => Promise<unknown>) => {
    const { id } = await taskIn('aggregating', on, { queue });
    await how(id);
    const [task] = (await broker.dequeue(queue, 1)).tasks;
    if (task === undefined) throw new Error('expected a task');
    await broker.settle(task, { kind: 'retry', at: clock.now() + 1_000, error: 'x', isFailure: true });
    await clock.advance(2_000);
    await ask('ForwardIfReady');
    return id;
  };
  const lost = await fail((id) => ask('RunTask', { id }));
  expect(await redis.zscore(keys.group(GROUP), lost)).not.toBeNull();
  expect(await ask('ListGroups')).toEqual([]);

  another();
  const ours = await fail((id) => inspector.runTask(queue, id));
  expect(await redis.lrange(keys.pending, 0, -1)).toEqual([ours]);
});

it('Go fails to look at a queue of which one task is gone; we do not', async () => {
  await taskIn('pending', on, { queue });
  const { id } = await taskIn('pending', on, { queue });
  await redis.del(keys.task(id));
  await expect(ask('CurrentStats')).rejects.toThrow('attempt to perform arithmetic');
  expect(await inspector.getQueueInfo(queue)).toMatchObject({ pending: 2 });
});

it('Go shows an id whose task is gone as a task without a name; we say what it is', async () => {
  const { id } = await taskIn('pending', on, { queue });
  await redis.del(keys.task(id));
  expect(await ask('ListPending', { size: 30, page: 0 })).toMatchObject([{ msg: '', state: 'pending' }]);
  expect(await inspector.listPendingTasks(queue)).toMatchObject([{ id, lastErr: 'the task has no message' }]);
  await redis.hset(keys.task(id), 'state', 'active');
  expect(await ask('GetTaskInfo', { id })).toMatchObject({ msg: '', state: 'active' });
  expect(await inspector.getTaskInfo(queue, id)).toMatchObject({
    id,
    state: 'active',
    type: 'asynq:unreadable',
    lastErr: 'the task has no message',
    isOrphaned: true,
  });
});

it('Go calls a queue empty that holds completed and grouped tasks, and leaves them behind; we do not', async () => {
  const fill = async () => {
    await taskIn('completed', on, { queue });
    await taskIn('aggregating', on, { queue });
    await inspector.pauseQueue(queue);
  };
  await fill();
  await ask('RemoveQueue');
  const left = (await dumpKeys(router, queue)).map(({ key }) => key.slice(keys.prefix.length));
  expect(left).toEqual(expect.arrayContaining(['completed', `g:${GROUP}`, 'groups', 'paused', 'processed']));

  another();
  await fill();
  await expect(inspector.deleteQueue(queue)).rejects.toMatchObject({ code: 'ASYNQ_QUEUE_NOT_EMPTY' });
  await inspector.deleteQueue(queue, { force: true });
  expect(await dumpKeys(router, queue)).toEqual([]);
});

it('Go finds nothing in a queue whose listing was lost; we do', async () => {
  const { id } = await taskIn('scheduled', on, { queue });
  await redis.srem('asynq:queues', queue);
  await expect(ask('CurrentStats')).rejects.toThrow('does not exist');
  await expect(ask('RunTask', { id })).rejects.toThrow('does not exist');
  expect(await inspector.getQueueInfo(queue)).toMatchObject({ scheduled: 1 });
  await inspector.runTask(queue, id);
  expect(await redis.llen(keys.pending)).toBe(1);
});
