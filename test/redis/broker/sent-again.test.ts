import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Settlement } from '../../../src/broker/broker.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { rawRedis, testRedis, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { ReplyCutter } from '../../support/reply-cutter.ts';
import { taskMessage } from '../../support/task-messages.ts';

/* A call whose connection breaks after Redis has done it, and before it said so, is sent again. */

const redis = rawRedis();
const cutter = await ReplyCutter.before(testRedis().addr);
const { broker, clock, lease } = brokerOn({ addr: cutter.addr });
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
