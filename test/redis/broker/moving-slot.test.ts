import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Settlement } from '../../../src/broker/broker.ts';
import { Inspector } from '../../../src/tasks/inspector.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import type { RedisServer } from '../../lab/redis-server.ts';
import { beginSlotMove, type SlotMove } from '../../lab/slot-move.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { taskMessage } from '../../support/task-messages.ts';
import { until } from '../../support/until.ts';

/*
 * While the hashes of some tasks are at the new owner of a slot and the queue's lists are at the old one, Redis refuses a
 * script that declares both, and stops one that meets such a hash undeclared; what it did before that stays done.
 */

const cluster: RedisCluster = await startRedisCluster({ replicas: 0 });
const { broker, router, clock } = brokerOn({ addrs: cluster.addrs });
afterAll(() => cluster.stop());

let queue: string;
let keys: QueueKeys;
beforeEach(() => {
  queue = uniqueQueue();
  keys = new QueueKeys(queue);
});

async function enqueueMany(
  count: number,
  how: { processAt?: number; group?: string } = {},
): Promise<string[]> {
  const messages = Array.from({ length: count }, () => taskMessage({ queue }));
  await Promise.all(messages.map((message) => broker.enqueue({ message, ...how })));
  return messages.map(({ id }) => id);
}

/** Begins to move the queue's slot, the hashes of these tasks first. */
async function moveAway(ids: readonly string[]): Promise<SlotMove> {
  const slot = await cluster.keyslot(keys.pending);
  const from = await cluster.masterOfSlot(slot);
  const to = (await cluster.masters()).find((node) => node !== from);
  if (to === undefined) throw new Error('expected a second master');
  const move = await beginSlotMove(cluster, slot, to);
  const hashes = ids.map((id) => keys.task(id));
  await from.call('MIGRATE', to.host, to.port, '', 0, 5_000, 'KEYS', ...hashes);
  return move;
}

/** How often a node has answered with this error. */
async function errorsOf(node: RedisServer, word: string): Promise<number> {
  return Number(/count=(\d+)/.exec((await node.info(`errorstat_${word}`)) ?? '')?.[1] ?? 0);
}

/** Lets `work` run into the gap of a half-moved slot, and then finishes the move. */
async function acrossMove<T>(
  moved: readonly string[],
  word: 'ERR' | 'TRYAGAIN',
  work: () => Promise<T>,
): Promise<T> {
  const move = await moveAway(moved);
  const before = await errorsOf(move.from, word);
  const result = work();
  result.catch(() => {});
  await until(async () => (await errorsOf(move.from, word)) > before, {
    what: `a script to fail with ${word}`,
  });
  await move.finish();
  return result;
}

async function dump() {
  const owner = await cluster.masterOfKey(keys.pending);
  const redis = new Redis(`redis://${owner.addr}`);
  try {
    return await dumpQueue(redis, queue);
  } finally {
    redis.disconnect();
  }
}

beforeAll(() => broker.ping());

it('forwards each due task once, to pending or its group', async () => {
  await enqueueMany(1);
  await enqueueMany(1, { group: 'g' });
  const [retried] = (await broker.dequeue(queue, 1)).tasks;
  if (retried === undefined) throw new Error('expected a task');
  await broker.settle(retried, { kind: 'retry', at: clock.now(), error: 'x', isFailure: true });
  await enqueueMany(1);
  const due = await enqueueMany(10, { processAt: clock.now() + 1_000 });
  await clock.advance(2_000);
  // All keys that the script declares are there: nothing but a hash stops it.
  const { moved } = await acrossMove(due.slice(5), 'ERR', () => broker.forward(queue));
  expect(moved).toBe(11);
  const { pending, scheduled, retry, tasks } = await dump();
  expect(pending).toHaveLength(12);
  expect(pending).toEqual(expect.arrayContaining([...due, retried.id]));
  expect({ scheduled, retry }).toEqual({ scheduled: {}, retry: {} });
  expect(Object.values(tasks).every(({ message }) => message !== undefined)).toBe(true);
});

it('forwards a task into a group that nobody was in', async () => {
  await enqueueMany(1, { group: 'other' });
  await enqueueMany(1);
  const [retried] = (await broker.dequeue(queue, 1)).tasks;
  if (retried === undefined) throw new Error('expected a task');
  await broker.settle(retried, { kind: 'retry', at: clock.now() + 60_000, error: 'x', isFailure: true });
  const bystanders = await enqueueMany(2);
  const [due = ''] = await enqueueMany(1, { processAt: clock.now() + 1_000 });
  const owner = await cluster.masterOfKey(keys.pending);
  await owner.call('HSET', keys.task(due), 'group', 'g');
  await clock.advance(2_000);
  // All keys that the script declares are there, and the due task: nothing but its group stops it.
  const { moved } = await acrossMove(bystanders, 'ERR', () => broker.forward(queue));
  expect(moved).toBe(1);
  expect((await dump()).groups['g']).toEqual({ [due]: Math.floor(clock.now() / 1000) });
});

it('claims each task with an ended lease once', async () => {
  const ids = await enqueueMany(10);
  await broker.dequeue(queue, 10);
  await clock.advance(31_000);
  const claimed = await acrossMove(ids.slice(5), 'ERR', () => broker.listLeaseExpired(queue, clock.now()));
  expect(claimed.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  expect((await dump()).active.toSorted()).toEqual(ids.toSorted());
});

it('leases each pending task once', async () => {
  const ids = await enqueueMany(10);
  const { tasks } = await acrossMove(ids.slice(5), 'TRYAGAIN', () => broker.dequeue(queue, 10));
  expect(tasks.map(({ id }) => id)).toEqual(ids);
  expect((await dump()).active.toSorted()).toEqual(ids.toSorted());
});

const WHOLE_GROUP = { gracePeriod: 1_000, maxDelay: 0, maxSize: 0 };

it('claims a group, and makes its tasks one, once', async () => {
  const ids = await enqueueMany(10, { group: 'g' });
  await enqueueMany(1, { group: 'other' });
  await clock.advance(2_000);
  const claim = () => broker.claimGroup(queue, 'g', WHOLE_GROUP);
  const set = await acrossMove(ids.slice(5), 'TRYAGAIN', claim);
  expect(set?.tasks.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  if (set === undefined) throw new Error('expected a set');
  const made = taskMessage({ queue });
  const finish = () => broker.finishAggregation(set, { message: made });
  expect(await acrossMove(ids.slice(5), 'TRYAGAIN', finish)).toBe(true);
  const { pending, groups, tasks } = await dump();
  expect(pending).toEqual([made.id]);
  expect(Object.keys(groups)).toEqual(['other']);
  expect(ids.filter((id) => id in tasks)).toEqual([]);
});

const SETTLEMENTS: readonly Settlement[] = [
  { kind: 'done' },
  { kind: 'retry', at: clock.now() + 1_000, error: 'x', isFailure: true },
  { kind: 'archive', error: 'x' },
  { kind: 'requeue' },
];

it.each(SETTLEMENTS)('settles each task once: $kind', async (settlement) => {
  // A first task makes all the keys that the script declares, so that only the hashes are away.
  await enqueueMany(3);
  for (const task of (await broker.dequeue(queue, 2)).tasks) await broker.settle(task, settlement);
  const [other] = (await broker.dequeue(queue, 1)).tasks;
  if (other === undefined) throw new Error('expected a task');
  await enqueueMany(10);
  const { tasks } = await broker.dequeue(queue, 10);
  await enqueueMany(1);
  const away = tasks.slice(5).map(({ id }) => id);
  const settled = await acrossMove(away, 'TRYAGAIN', () =>
    Promise.all(tasks.map((task) => broker.settle(task, settlement))),
  );
  expect(settled.every(Boolean)).toBe(true);
  const after = await dump();
  expect(after.active).toEqual([other.id]);
  expect(Object.keys(after.lease)).toEqual([other.id]);
  const left = Object.values(after.tasks).map(({ message }) => message);
  expect(left.every((message) => message !== undefined)).toBe(true);
  expect(left.filter((message) => tasks.some(({ id }) => id === message?.id))).toHaveLength(
    settlement.kind === 'done' ? 0 : 10,
  );
});

it.each([
  ['runs', (inspector: Inspector) => inspector.runAllScheduledTasks(queue), 'pending'],
  ['archives', (inspector: Inspector) => inspector.archiveAllScheduledTasks(queue), 'archived'],
  ['deletes', (inspector: Inspector) => inspector.deleteAllScheduledTasks(queue), undefined],
] as const)('%s all tasks of a state once', async (_, change, state) => {
  // All keys that the script declares are there, but for the hashes that are away.
  await enqueueMany(1, { group: 'g' });
  await enqueueMany(2);
  const [archived] = (await broker.dequeue(queue, 1)).tasks;
  if (archived === undefined) throw new Error('expected a task');
  await broker.settle(archived, { kind: 'archive', error: 'x' });
  const ids = await enqueueMany(10, { processAt: clock.now() + 60_000 });
  const inspector = new Inspector(router, { clock });
  // Its look at the tasks meets hashes that it cannot declare.
  expect(await acrossMove(ids.slice(5), 'ERR', () => change(inspector))).toBe(10);
  const { scheduled, tasks } = await dump();
  expect(scheduled).toEqual({});
  const moved = ids.filter((id) => id in tasks && tasks[id]?.['state'] === state);
  expect(moved).toEqual(state === undefined ? [] : ids);
  expect(ids.filter((id) => id in tasks)).toEqual(state === undefined ? [] : ids);
});
