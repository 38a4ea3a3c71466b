import { beforeEach, describe, expect, it } from 'vitest';
import type { QueueSnapshot } from '../../../src/broker/queue-reader.ts';
import { Reconciler } from '../../../src/operator/reconciler.ts';
import type { Refusal } from '../../../src/operator/refusal.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fleetOf, queueOf, snapshotOf } from './builders.ts';
import { MemoryFleet, MemoryRedis, MemorySource, UNREACHABLE } from './memory-ends.ts';

let clock: FakeClock;
let source: MemorySource;
let fleet: MemoryFleet;
let redis: MemoryRedis;
let pending: number;
let wasPaused: boolean;
let processed: number;
let found: QueueSnapshot['limits'];
let mayWrite: boolean;
let conflict: Refusal | undefined;
let reconciler: Reconciler;

beforeEach(() => {
  clock = new FakeClock();
  source = new MemorySource();
  fleet = new MemoryFleet();
  redis = new MemoryRedis();
  pending = 0;
  wasPaused = false;
  processed = 0;
  found = undefined;
  mayWrite = true;
  conflict = undefined;
  reconciler = restarted();
});

/** An operator that remembers nothing but the statuses. */
function restarted(): Reconciler {
  return new Reconciler({
    source,
    fleet,
    sight: () => ({
      kind: 'read',
      reading: {
        kind: 'known',
        snapshot: snapshotOf({
          at: clock.now(),
          paused: wasPaused,
          size: { pending },
          processed,
          ...(found && { limits: found }),
        }),
      },
      connection: { id: 'a', router: redis.router, reader: redis.reader },
      redis: 'a',
    }),
    conflict: () => conflict,
    mayWrite: () => mayWrite,
    clock,
    log: silentLogger,
  });
}

const reconcile = () => reconciler.reconcile('media/a');

describe('the paused flag', () => {
  it('is left alone by a process that leads no more', async () => {
    source.put(queueOf({ name: 'a' }, { paused: true }));
    mayWrite = false;
    await reconcile();
    expect(redis.commands).toEqual([]);
    mayWrite = true;
    await reconcile();
    expect(redis.commands).toHaveLength(1);
  });

  it.each([true, false])('is given up before another process may lead (%s)', async (paused) => {
    wasPaused = !paused;
    source.put(queueOf({ name: 'a' }, { paused }));
    await reconcile();
    expect(redis.timeouts).toEqual([expect.any(Number)]);
    expect(redis.timeouts[0]).toBeLessThan(5_000);
  });

  it('is set without a word until it was seen: what is read may be older than what was written', async () => {
    source.put(queueOf({ name: 'a' }, { paused: true }));
    await reconcile();
    await reconcile();
    expect(redis.commands).toHaveLength(2);
    expect(corrections()).toEqual([]);
    wasPaused = true;
    await reconcile();
    wasPaused = false;
    await reconcile();
    await reconcile();
    expect(corrections()).toEqual(['PausedCorrected the queue was resumed in Redis; spec.paused is true']);
  });

  it('is changed with the spec without a word', async () => {
    wasPaused = true;
    source.put(queueOf({ name: 'a', generation: 1 }, { paused: true }));
    await reconcile();
    source.put(queueOf({ name: 'a', generation: 2 }, { paused: false }));
    await reconcile();
    await reconcile();
    expect(redis.commands).toHaveLength(2);
    expect(corrections()).toEqual([]);
  });

  it('is tried again at the next look while Redis refuses it, asleep or not, and is said to be as it was', async () => {
    source.put(queueOf({ name: 'a' }, { paused: true }));
    redis.refusal = UNREACHABLE;
    for (let look = 0; look < 3; look++) {
      await reconcile();
      expect(reconciler.letRest('media/a')).toBe(false);
    }
    expect(redis.commands).toHaveLength(3);
    expect(paused()).toMatchObject({
      status: 'False',
      reason: 'NotSet',
      message: 'spec.paused is true: it could not be set in Redis yet',
    });
    redis.refusal = undefined;
    await reconcile();
    expect(paused()).toMatchObject({ status: 'True', reason: 'Spec' });
    expect(corrections()).toEqual([]);
  });

  it('is as Redis has it where the AsynqQueue stands back behind another', async () => {
    source.put(queueOf({ name: 'a' }, { paused: true }));
    conflict = { reason: 'QueueConflict', message: 'b is older' };
    await reconcile();
    expect(redis.commands).toEqual([]);
    expect(paused()).toMatchObject({ status: 'False', reason: 'Redis' });
  });

  it('is remembered across a restart, so that people are told of what happened meanwhile', async () => {
    source.put(queueOf({ name: 'a' }, { paused: true }));
    await reconcile();
    reconciler = restarted();
    await reconcile();
    expect(corrections()).toHaveLength(1);
  });
});

const paused = () => source.get('media/a')?.status?.conditions?.find(({ type }) => type === 'Paused');

const corrections = () => spoken().filter((text) => text.startsWith('PausedCorrected'));

const spoken = () => source.events.map(({ reason, message }) => `${reason} ${message}`);

describe('limits', () => {
  const KEY = 'asynq-operator:{a}:limits';
  const limits = { concurrency: 50, ratePerSecond: 0.5 };
  const write = ['HSET', KEY, 'concurrency', 50, 'rate_per_second', 0.5, 'owner', 'asynq-operator'];
  const standing = { ...limits, owner: 'operator', started: 0 } as const;
  const condition = () =>
    source.get('media/a')?.status?.conditions?.find(({ type }) => type === 'LimitsEnforced');

  it('are set in time for nobody else to lead, and not by a process that leads no more', async () => {
    source.put(queueOf({ name: 'a' }, { limits }));
    mayWrite = false;
    await reconcile();
    expect(redis.commands).toEqual([]);
    expect(condition()).toMatchObject({ status: 'False', reason: 'NotSet' });
    mayWrite = true;
    await reconcile();
    expect(redis.commands).toEqual([write]);
    expect(redis.timeouts[0]).toBeLessThan(5_000);
    expect(condition()).toMatchObject({
      status: 'True',
      reason: 'Enforced',
      message: 'at most 50 active, 0.5 started per second, by spec.limits',
    });
    found = standing;
    await reconcile();
    expect(redis.commands).toHaveLength(1);
  });

  it.each([
    ['gone', undefined],
    ['changed to 7 active', { concurrency: 7, owner: 'hand', started: 0 } as const],
    ['changed to 50 active', { concurrency: 50, owner: 'operator', started: 0 } as const],
  ])('are set again when they are %s, and people are told', async (words, others) => {
    source.put(queueOf({ name: 'a' }, { limits }));
    found = standing;
    await reconcile();
    found = others;
    await reconcile();
    expect(redis.commands).toEqual([write]);
    expect(spoken()).toContain(
      `LimitsCorrected the limits in Redis were ${words}; spec.limits: 50 active, 0.5 started per second`,
    );
  });

  it('are set without a word until they were seen: what is read may be older than what was written', async () => {
    source.put(queueOf({ name: 'a' }, { limits }));
    await reconcile();
    await reconcile();
    expect(redis.commands).toEqual([write, write]);
    expect(spoken()).toEqual(['WorkersCreated workers can be started now, 0 of them at first']);
    found = { concurrency: 7, owner: 'hand', started: 0 };
    await reconcile();
    await reconcile();
    expect(spoken().filter((text) => text.startsWith('LimitsCorrected'))).toHaveLength(1);
  });

  it('become ours when others set the same, so that they go when the spec lets them go', async () => {
    source.put(queueOf({ name: 'a' }, { limits }));
    found = { ...standing, owner: 'hand' };
    await reconcile();
    expect(redis.commands).toEqual([write]);
  });

  it('that an operator set are taken away when the spec says nothing of them; those of others stay', async () => {
    source.put(queueOf({ name: 'a' }));
    found = { concurrency: 7, owner: 'hand', started: 0 };
    await reconcile();
    expect(redis.commands).toEqual([]);
    expect(condition()).toMatchObject({ status: 'True', message: 'at most 7 active, set in Redis' });
    found = standing;
    await reconcile();
    expect(redis.commands).toEqual([['release-limits', KEY, 'asynq-operator']]);
    found = undefined;
    await reconcile();
    expect(condition()).toBeUndefined();
  });

  it('are tried again at the next look while Redis refuses them, asleep or not', async () => {
    source.put(queueOf({ name: 'a' }, { limits }));
    redis.refusal = UNREACHABLE;
    for (let look = 0; look < 3; look++) {
      await reconcile();
      expect(reconciler.letRest('media/a')).toBe(false);
    }
    expect(redis.commands).toHaveLength(3);
    expect(condition()).toMatchObject({ status: 'False', reason: 'NotSet' });
  });

  it('that servers do not keep to are said to be ignored, for a minute after the last start', async () => {
    source.put(queueOf({ name: 'a' }, { limits }));
    found = standing;
    await reconcile();
    found = { ...standing, started: 10 };
    processed = 10;
    await reconcile();
    expect(condition()).toMatchObject({ status: 'True', reason: 'Enforced' });
    processed = 11;
    await reconcile();
    expect(condition()).toMatchObject({ status: 'False', reason: 'ForeignWorkers' });
    await clock.advance(61_000);
    await reconcile();
    expect(condition()).toMatchObject({ status: 'True', reason: 'Enforced' });
    expect(spoken().map((text) => text.split(' ')[0])).toEqual([
      'WorkersCreated',
      'ForeignWorkers',
      'LimitsEnforced',
    ]);
  });

  it('are left alone in mode Observe', async () => {
    source.put(queueOf({ name: 'a' }, { limits, scaling: { mode: 'Observe' } }));
    await reconcile();
    expect(redis.commands).toEqual([]);
    expect(condition()).toMatchObject({ status: 'False', reason: 'Observe' });
  });
});

describe('mode Observe', () => {
  it('sets neither the number of workers nor the paused flag, and says what the flag is', async () => {
    pending = 70;
    source.put(queueOf({ name: 'a' }, { paused: true, scaling: { mode: 'Observe', minReplicas: 2 } }));
    await reconcile();
    await reconcile();
    expect(fleet.states.get('media/a')).toMatchObject({ replicas: 0 });
    expect(redis.commands).toEqual([]);
    expect(spoken()).toEqual(['WorkersCreated workers can be started now, 0 of them at first']);
    expect(paused()).toMatchObject({ status: 'False', reason: 'Redis' });
  });
});

describe('mode Hold', () => {
  it('tells the number that was set when the workers were made', async () => {
    source.put(queueOf({ name: 'a' }, { scaling: { mode: 'Hold', minReplicas: 2 } }));
    await reconcile();
    expect(spoken()).toContain('ScaledUp 0 -> 2 replicas: Held');
    await reconcile();
    expect(spoken().filter((text) => text.startsWith('Scaled'))).toHaveLength(1);
  });
});

describe('a number of workers that was set, of which no answer came', () => {
  it('is ours', async () => {
    source.put(queueOf({ name: 'a' }, { scaling: { target: { tasksPerReplica: 10 } } }));
    await reconcile();
    for (const replicas of [1, 3, 5, 7]) {
      pending = replicas * 10;
      fleet.next = new Error('the answer was lost');
      await expect(reconcile()).rejects.toThrow('lost');
      fleet.states.set('media/a', fleetOf({ replicas, readyReplicas: replicas }));
      await clock.advance(1_000);
    }
    fleet.next = undefined;
    pending = 100;
    await reconcile();
    expect(fleet.states.get('media/a')).toMatchObject({ replicas: 10 });
  });
});
