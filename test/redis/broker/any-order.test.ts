import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LeasedTask, Settlement } from '../../../src/broker/broker.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { taskMessage } from '../../support/task-messages.ts';

const redis = rawCluster();
const { broker, clock } = brokerOn(testCluster());

type Step =
  | { readonly do: 'enqueue'; readonly count: number; readonly inSeconds: number; readonly retention: number }
  | { readonly do: 'dequeue'; readonly count: number }
  | { readonly do: 'settle'; readonly kind: Settlement['kind']; readonly count: number }
  | { readonly do: 'forward' | 'recover' | 'clean' | 'extend' }
  | { readonly do: 'wait'; readonly seconds: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('enqueue' as const),
    count: fc.integer({ min: 1, max: 4 }),
    inSeconds: fc.constantFrom(0, 0, 20),
    retention: fc.constantFrom(0, 40),
  }),
  fc.record({ do: fc.constant('dequeue' as const), count: fc.integer({ min: 1, max: 6 }) }),
  fc.record({
    do: fc.constant('settle' as const),
    kind: fc.constantFrom<Settlement['kind']>('done', 'revoke', 'retry', 'archive', 'requeue'),
    count: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({
    do: fc.constantFrom('forward' as const, 'recover' as const, 'clean' as const, 'extend' as const),
  }),
  fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(5, 15, 31) }),
);

/** What must have come of the tasks, by what the broker said. */
class Ledger {
  readonly queue = uniqueQueue();
  readonly held: LeasedTask[] = [];
  readonly there = new Set<string>();
  processed = 0;
  failed = 0;
}

async function take(ledger: Ledger, next: Step): Promise<void> {
  const { queue, held, there } = ledger;
  switch (next.do) {
    case 'enqueue': {
      const messages = Array.from({ length: next.count }, () =>
        taskMessage({ queue, retention: next.retention }),
      );
      const when = next.inSeconds === 0 ? {} : { processAt: clock.now() + next.inSeconds * 1000 };
      await Promise.all(messages.map((message) => broker.enqueue({ message, ...when })));
      for (const { id } of messages) there.add(id);
      return;
    }
    case 'dequeue':
      held.push(...(await broker.dequeue(queue, next.count)).tasks);
      return;
    case 'settle':
      await Promise.all(held.splice(0, next.count).map((task) => settle(ledger, task, next.kind)));
      return;
    case 'forward':
      await broker.forward(queue);
      return;
    case 'recover':
      held.push(...(await broker.listLeaseExpired(queue, clock.now())));
      return;
    case 'extend':
      await broker.extendLeases(held);
      return;
    case 'clean':
      await clean(ledger);
      return;
    case 'wait':
      await clock.advance(next.seconds * 1000);
  }
}

async function clean({ queue, there }: Ledger): Promise<void> {
  const { completed } = await dumpQueue(redis, queue);
  const over = Object.keys(completed).filter((id) => (completed[id] ?? 0) <= clock.now() / 1000);
  expect(await broker.deleteExpiredCompleted(queue, 100)).toBe(over.length);
  for (const id of over) there.delete(id);
}

async function settle(ledger: Ledger, task: LeasedTask, kind: Settlement['kind']): Promise<void> {
  const how = { retry: { at: clock.now() + 10_000, error: 'x', isFailure: true }, archive: { error: 'x' } };
  const settlement = { kind, ...(kind === 'retry' || kind === 'archive' ? how[kind] : {}) } as Settlement;
  if (!(await broker.settle(task, settlement)) || kind === 'requeue') return;
  ledger.processed++;
  if (kind === 'retry' || kind === 'archive') ledger.failed++;
  if (kind === 'revoke' || (kind === 'done' && task.message.retention === 0)) ledger.there.delete(task.id);
}

async function check({ queue, there, processed, failed }: Ledger): Promise<void> {
  const { lease, tasks, groups, ...places } = await dumpQueue(redis, queue);
  const found = Object.entries(places).flatMap(([state, ids]) =>
    (Array.isArray(ids) ? ids : Object.keys(ids)).map((id) => [id, state] as const),
  );
  // Each task is in one place, which its hash knows, and its message is whole.
  expect(found.map(([id]) => id).toSorted()).toEqual([...there].toSorted());
  for (const [id, state] of found) expect(tasks[id]).toMatchObject({ state, message: { id, queue } });
  expect(Object.keys(lease).toSorted()).toEqual(places.active.toSorted());
  expect(groups).toEqual({});
  const keys = new QueueKeys(queue);
  expect(Number(await redis.get(keys.processed))).toBe(processed);
  expect(Number(await redis.get(keys.failed))).toBe(failed);
}

it('whatever the order of operations, each task is in one place, and counted once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const ledger = new Ledger();
      for (const next of steps) await take(ledger, next);
      await check(ledger);
    }),
    { numRuns: 60 },
  );
});
