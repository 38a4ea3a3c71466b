import { afterEach, expect, it } from 'vitest';
import { Inspector } from '../../../src/tasks/inspector.ts';
import { QUEUES_KEY, QueueKeys } from '../../../src/wire/keys.ts';
import { encodeTaskMessage } from '../../../src/wire/task-message.ts';
import { goBroker } from '../../support/go-broker.ts';
import { dumpKeys } from '../../support/queue-keys-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { taskMessage } from '../../support/task-messages.ts';
import { Both } from './both.ts';
import { INSPECTIONS_BEYOND, MENDED_INSPECTIONS } from './inspector-differences.ts';
import { A, enqueue, enqueueInGroup, LOCK, unmended, wait } from './showing.ts';

/* Each difference of the inspectors: what Go's does, and what ours does. */

const both = await Both.open();
const go = await goBroker();
const redis = rawCluster();
const { router, clock, enqueue: enqueueOurs, lease, broker } = brokerOn(testCluster());
const inspector = new Inspector(router, { clock });
const shown = new Set<string>();
afterEach(({ task }) => void shown.add(task.name));

const DAYS_91 = 91 * 86_400_000;

it('a task that is run says since when it waits', async () => {
  const { go: theirs, ours } = await unmended(both, [
    enqueue(A),
    { do: 'archive', id: 'a' },
    wait(1_000),
    { do: 'run', id: 'a' },
  ]);
  // Go's is that of the first time it was pending.
  const [before, since] = [theirs, ours].map(
    ({ left }) => (left['t:a'] as Record<string, string>)['pending_since'],
  );
  expect(BigInt(since ?? 0) - BigInt(before ?? 0)).toBe(1_000_000_000n);
});

it('a task that is run leaves its group for good', async () => {
  const { go: theirs, ours } = await unmended(both, [enqueueInGroup(A), { do: 'run', id: 'a' }]);
  expect(theirs.left['t:a']).toMatchObject({ state: 'pending', group: 'g' });
  expect(ours.left['t:a']).not.toHaveProperty('group');
});

it('tasks that are deleted leave no lock', async () => {
  const all = { do: 'deleteAll', place: 'pending', group: '' } as const;
  const { go: theirs, ours } = await unmended(both, [enqueue({ ...A, unique: 90 }), all]);
  expect(theirs.left).not.toHaveProperty(['t:a']);
  expect(theirs.left).toHaveProperty([LOCK], ['a']);
  expect(ours.left).not.toHaveProperty([LOCK]);
});

it('what an archive drops leaves no hash and no lock', async () => {
  const { go: theirs, ours } = await unmended(both, [
    enqueue({ ...A, unique: 90 }),
    { do: 'archive', id: 'a' },
    wait(DAYS_91),
    enqueue({ ...A, id: 'b' }),
    { do: 'archive', id: 'b' },
    enqueue(A),
  ]);
  expect(Object.keys(theirs.left['archived'] as object)).toEqual(['b']);
  expect(theirs.left).toHaveProperty(['t:a']);
  expect(theirs.left).toHaveProperty([LOCK], ['a']);
  expect([theirs.answers.at(-1), ours.answers.at(-1)]).toEqual([['conflict'], ['ok']]);
  expect(ours.left).not.toHaveProperty([LOCK]);
});

it('an archive of nothing drops nothing', async () => {
  const { go: theirs, ours } = await unmended(both, [
    enqueue(A),
    { do: 'archive', id: 'a' },
    wait(DAYS_91),
    { do: 'archiveAll', place: 'retry', group: '' },
  ]);
  expect(theirs.left).not.toHaveProperty(['archived']);
  expect(ours.left).toHaveProperty(['archived', 'a']);
});

it('an id without a task is dropped when all are run or archived', async () => {
  const all = { do: 'archiveAll', place: 'pending', group: '' } as const;
  const { go: theirs, ours } = await unmended(both, [{ do: 'lose', from: 'pending' }, all]);
  expect(theirs.left['t:lost 1']).toEqual({ state: 'archived' });
  expect([theirs.answers.at(-1), ours.answers.at(-1)]).toEqual([1, 0]);
  expect(Object.keys(ours.left)).toEqual(['asynq:queues']);
});

it('figures are told although a task is lost', async () => {
  const queue = uniqueQueue();
  await enqueueOurs({ queue, id: 'x' });
  await redis.del(new QueueKeys(queue).task('x'));
  await expect(go.call('CurrentStats', { queue, now: clock.now() })).rejects.toThrow(
    'attempt to perform arithmetic',
  );
  expect(await inspector.getQueueInfo(queue)).toMatchObject({ pending: 1, size: 1 });
});

it('a lost task is listed, with the reason', async () => {
  const queue = uniqueQueue();
  await enqueueOurs({ queue, id: 'x' });
  await redis.del(new QueueKeys(queue).task('x'));
  const [theirs] = (await go.call('ListPending', { queue, now: clock.now(), size: 30 })) as { msg: string }[];
  expect(theirs?.msg).toBe('');
  expect(await inspector.listPendingTasks(queue)).toMatchObject([
    { id: 'x', lastErr: 'the task has no message' },
  ]);
});

it('latency is that of the task that waits longest', async () => {
  const queue = uniqueQueue();
  const message = taskMessage({ queue, id: 'waits' });
  const msg = Buffer.from(encodeTaskMessage(message)).toString('base64');
  const given = await lease({ queue, id: 'given back' });
  await go.call('Enqueue', { queue, now: clock.now() - 60_000, msg });
  await broker.settle(given, { kind: 'requeue' });
  expect(await go.call('CurrentStats', { queue, now: clock.now() })).toMatchObject({
    Pending: 2,
    Latency: 0,
  });
  expect(await inspector.getQueueInfo(queue)).toMatchObject({ pending: 2, latencySeconds: 60 });
});

it('a queue that is not listed is there as long as it holds tasks', async () => {
  const queue = uniqueQueue();
  await enqueueOurs({ queue, id: 'x' });
  await redis.srem(QUEUES_KEY, queue);
  await expect(go.call('ListPending', { queue, now: clock.now(), size: 30 })).rejects.toMatchObject({
    kind: 'queue not found',
  });
  expect(await inspector.listPendingTasks(queue)).toMatchObject([{ id: 'x' }]);
});

it('a queue that is removed is gone', async () => {
  const [theirs, ours] = [uniqueQueue(), uniqueQueue()];
  for (const queue of [theirs, ours]) {
    const task = await lease({ queue, retention: 60 });
    await broker.settle(task, { kind: 'done' });
  }
  await go.call('RemoveQueue', { queue: theirs, now: clock.now() });
  const names = async (queue: string) =>
    (await dumpKeys(router, queue)).map(({ key }) => key.split('}:')[1]?.split(':')[0]);
  expect(await names(theirs)).toEqual(expect.arrayContaining(['completed', 'processed', 't']));
  await expect(inspector.deleteQueue(ours)).rejects.toMatchObject({ code: 'ASYNQ_QUEUE_NOT_EMPTY' });
  await inspector.deleteQueue(ours, { force: true });
  expect(await names(ours)).toEqual([]);
});

it('each is shown', () => {
  const all = Object.keys({ ...MENDED_INSPECTIONS, ...INSPECTIONS_BEYOND });
  expect([...shown].toSorted()).toEqual(all.toSorted());
});
