import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { QueueQuery, QueueSnapshot } from '../../../src/broker/queue-reader.ts';
import { RedisQueueReader } from '../../../src/broker/redis-queue-reader.ts';
import { keySlot } from '../../../src/redis/slots.ts';
import {
  EMPTY_QUEUE,
  figuresOf,
  ownersClock,
  type QueueState,
  writeQueueState,
} from '../../support/queue-state.ts';
import { uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';

const redis = testRouter();
/** Patient: what is slow here is the machine that the tests share. */
const reader = new RedisQueueReader(redis, { timeout: 20_000 });

async function snapshotOf(queue: string, query: Partial<QueueQuery> = {}): Promise<QueueSnapshot> {
  const reading = (await reader.read([{ queue, soonSeconds: 60, ...query }])).get(queue);
  if (reading?.kind !== 'known') throw new Error('unknown', { cause: reading?.error });
  return reading.snapshot;
}

async function snapshotWith(
  state: Partial<QueueState>,
  query: Partial<QueueQuery> = {},
): Promise<QueueSnapshot> {
  const queue = uniqueQueue();
  await writeQueueState(redis, queue, { ...EMPTY_QUEUE, ...state });
  return snapshotOf(queue, query);
}

test('a queue that nobody used yet is known, and empty', async () => {
  const queue = uniqueQueue();
  const before = await ownersClock(redis, queue);
  const { at, keySlot: slot, node, replicas, ...figures } = await snapshotOf(queue);
  expect(at).toBeGreaterThanOrEqual(before);
  expect(at).toBeLessThan(before + 5_000);
  expect({ slot, master: node, replicas }).toEqual(await redis.locate(`asynq:{${queue}}:pending`));
  expect(slot).toBe(keySlot(`{${queue}}`));
  expect(figures).toEqual({
    paused: false,
    size: { pending: 0, active: 0, scheduled: 0, retry: 0, archived: 0, completed: 0, aggregating: 0 },
    groups: 0,
    latencySeconds: 0,
    clockSkew: false,
    due: 0,
    soon: 0,
    nextDue: undefined,
    orphaned: 0,
    ghosts: 0,
    readyGroups: 0,
    processed: 0,
    failed: 0,
  });
});

// Offsets keep well away from the edges, which the clock crosses while a test writes.
const past = fc.integer({ min: 10, max: 100 }).map((n) => -10 * n + 5);
const future = fc.integer({ min: 10, max: 100 }).map((n) => 10 * n + 5);
const offset = fc.oneof(past, future);
const offsets = fc.array(offset, { maxLength: 6 });
const added = fc.array(past, { maxLength: 4 });

const state: fc.Arbitrary<QueueState> = fc.record({
  pending: fc.array(fc.option(offset, { nil: undefined }), { maxLength: 20 }),
  active: fc.array(
    fc.oneof(fc.record({ hasTask: fc.boolean() }), fc.record({ leaseEnds: offset, hasTask: fc.boolean() })),
    { maxLength: 6 },
  ),
  scheduled: offsets,
  retry: offsets,
  archived: fc.nat(5),
  completed: fc.nat(5),
  groups: fc.array(added, { maxLength: 4 }),
  aggregationSets: fc.array(fc.record({ givenBack: offset, tasks: fc.nat(3) }), { maxLength: 3 }),
  paused: fc.boolean(),
  processed: fc.nat(),
  failed: fc.nat(),
});

const query = fc.record({
  soonSeconds: fc.integer({ min: 1, max: 100 }).map((n) => 10 * n),
  groups: fc.record({
    gracePeriodSeconds: fc.integer({ min: 1, max: 100 }).map((n) => 10 * n),
    maxSize: fc.nat(4),
    maxDelaySeconds: fc.nat(100).map((n) => 10 * n),
  }),
});

test('every figure follows from what the queue holds', async () => {
  await fc.assert(
    fc.asyncProperty(state, query, async (held, asked) => {
      expect(await snapshotWith(held, asked)).toMatchObject(figuresOf(held, asked));
    }),
    { numRuns: 60 },
  );
});

/** The latency in steps of ten seconds: the time that a slow machine takes to write the queue does not show. */
async function tensOfSeconds(pending: QueueState['pending']): Promise<number> {
  return Math.floor(((await snapshotWith({ pending })).latencySeconds ?? Number.NaN) / 10) * 10;
}

test('the latency is the longest wait known among the next 16', async () => {
  expect(await tensOfSeconds([-30])).toBe(30);
  expect(await tensOfSeconds([-30, -500, -40])).toBe(500);
  expect(await tensOfSeconds([undefined, -70, undefined])).toBe(70);
  expect(await tensOfSeconds([...Array.from({ length: 15 }, () => -20), -90, -900])).toBe(90);
});

test('it is unknown, not zero, when nobody can say', async () => {
  const unknown = { latencySeconds: undefined, clockSkew: false };
  expect(await snapshotWith({ pending: [undefined, undefined] })).toMatchObject(unknown);
  const beyondReach = [...Array.from({ length: 16 }, () => undefined), -60];
  expect(await snapshotWith({ pending: beyondReach })).toMatchObject(unknown);
});

test('a stamp from the future is no stamp, and is reported', async () => {
  expect(await snapshotWith({ pending: [100] })).toMatchObject({
    latencySeconds: undefined,
    clockSkew: true,
  });
  expect(await snapshotWith({ pending: [100, -40] })).toMatchObject({
    latencySeconds: expect.any(Number),
    clockSkew: true,
  });
  expect(await tensOfSeconds([100, -40])).toBe(40);
});

test('clocks that differ by less than a second are no skew, and nobody waits for less than nothing', async () => {
  const queue = uniqueQueue();
  const prefix = `asynq:{${queue}}:`;
  await redis.command(prefix, 'LPUSH', [`${prefix}pending`, 'id']);
  const ahead = (await ownersClock(redis, queue)) + 900;
  const stamp = `${Math.round(ahead)}000000`;
  await redis.command(prefix, 'HSET', [`${prefix}t:id`, 'pending_since', stamp]);
  const { latencySeconds, clockSkew } = await snapshotOf(queue);
  expect(latencySeconds).toBeGreaterThanOrEqual(0);
  expect(latencySeconds).toBeLessThan(5);
  expect(clockSkew).toBe(false);
});

test('a stamp that is none is passed over', async () => {
  const queue = uniqueQueue();
  const prefix = `asynq:{${queue}}:`;
  await redis.command(prefix, 'LPUSH', [`${prefix}pending`, 'a', 'b']);
  await redis.command(prefix, 'HSET', [`${prefix}t:a`, 'pending_since', 'yesterday']);
  await redis.command(prefix, 'HSET', [`${prefix}t:b`, 'pending_since', '0']);
  expect(await snapshotOf(queue)).toMatchObject({ latencySeconds: undefined, clockSkew: false });
});

test('the next due time is the earliest that has not come, whole seconds up', async () => {
  const queue = uniqueQueue();
  const prefix = `asynq:{${queue}}:`;
  const now = Math.floor((await ownersClock(redis, queue)) / 1_000);
  await redis.command(prefix, 'ZADD', [
    `${prefix}scheduled`,
    now - 50,
    'due',
    now + 5_000,
    'later',
    '+inf',
    'never',
  ]);
  expect(await snapshotOf(queue)).toMatchObject({ nextDue: now + 5_000, due: 1, soon: 0 });
  await redis.command(prefix, 'ZADD', [`${prefix}retry`, now + 999.25, 'sooner']);
  expect(await snapshotOf(queue)).toMatchObject({ nextDue: now + 1_000 });
  await redis.command(prefix, 'ZREM', [`${prefix}scheduled`, 'later']);
  await redis.command(prefix, 'DEL', [`${prefix}retry`]);
  expect(await snapshotOf(queue)).toMatchObject({ nextDue: undefined, due: 1 });
});

test('a group is ready after a minute when nobody said when', async () => {
  expect(await snapshotWith({ groups: [[-30], [-50, -20]] })).toMatchObject({ readyGroups: 0 });
  expect(await snapshotWith({ groups: [[-30], [-90, -20]] })).toMatchObject({ readyGroups: 2 });
});

test('of very many groups some stand for all', async () => {
  const groups = Array.from({ length: 500 }, (_, n) => (n % 2 === 0 ? [-600, -600] : [-1, -1]));
  const snapshot = await snapshotWith({ groups });
  expect(snapshot.groups).toBe(500);
  expect(snapshot.size.aggregating).toBe(1_000);
  expect(snapshot.readyGroups).toBeGreaterThan(250);
  expect(snapshot.readyGroups).toBeLessThan(750);
});

test.each(['with spaces', 'a:b,c', '{x}', 'x}y{z', '🦊', 'imágenes', 'ima\u0301genes', '"quoted"'])(
  'a queue named %j is read like any other',
  async (name) => {
    const queue = `${name} ${uniqueQueue()}`;
    await writeQueueState(redis, queue, { ...EMPTY_QUEUE, pending: [-20, -30], groups: [[-100]] });
    expect(await snapshotOf(queue)).toMatchObject({ size: { pending: 2, aggregating: 1 }, readyGroups: 1 });
  },
);

test('a queue that cannot be read is unknown, and the others are not', async () => {
  const [broken, sound] = [uniqueQueue(), uniqueQueue()];
  await redis.command(`{${broken}}`, 'SET', [`asynq:{${broken}}:pending`, 'not a list']);
  await writeQueueState(redis, sound, { ...EMPTY_QUEUE, pending: [-20] });
  const scattered = `}${uniqueQueue()}`;
  const readings = await reader.read([broken, sound, scattered].map((queue) => ({ queue, soonSeconds: 1 })));
  expect(readings.get(broken)).toMatchObject({
    kind: 'unknown',
    error: { code: 'ASYNQ_REDIS_COMMAND', message: expect.stringMatching(/WRONGTYPE/) },
  });
  expect(readings.get(sound)).toMatchObject({ kind: 'known', snapshot: { size: { pending: 1 } } });
  expect(readings.get(scattered)).toMatchObject({ kind: 'unknown', error: { code: 'ASYNQ_REDIS_COMMAND' } });
});

test('thousands of queues are read at once', async () => {
  const queues = Array.from({ length: 2_000 }, (_, n) => `${uniqueQueue()}-${n}`);
  const readings = await reader.read(queues.map((queue) => ({ queue, soonSeconds: 1 })));
  expect([...readings.keys()]).toEqual(queues);
  expect([...readings.values()].every(({ kind }) => kind === 'known')).toBe(true);
});

test('nothing asked, nothing read', async () => {
  expect(await reader.read([])).toEqual(new Map());
});
