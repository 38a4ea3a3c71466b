import { beforeEach, describe, expect, it } from 'vitest';
import { Reconciler } from '../../../src/operator/reconciler.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fleetOf, queueOf, snapshotOf } from './builders.ts';
import { MemoryFleet, MemoryRedis, MemorySource } from './memory-ends.ts';

let clock: FakeClock;
let source: MemorySource;
let fleet: MemoryFleet;
let redis: MemoryRedis;
let pending: number;
let wasPaused: boolean;
let mayWrite: boolean;
let reconciler: Reconciler;

beforeEach(() => {
  clock = new FakeClock();
  source = new MemorySource();
  fleet = new MemoryFleet();
  redis = new MemoryRedis();
  pending = 0;
  wasPaused = false;
  mayWrite = true;
  reconciler = new Reconciler({
    source,
    fleet,
    sight: () => ({
      kind: 'read',
      reading: {
        kind: 'known',
        snapshot: snapshotOf({ at: clock.now(), paused: wasPaused, size: { pending } }),
      },
      connection: { id: 'a', router: redis.router, reader: redis.reader },
      redis: 'a',
    }),
    conflict: () => undefined,
    mayWrite: () => mayWrite,
    clock,
    log: silentLogger,
  });
});

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
});

const spoken = () => source.events.map(({ reason, message }) => `${reason} ${message}`);

describe('mode Observe', () => {
  it('sets neither the number of workers nor the paused flag, and says what the flag is', async () => {
    pending = 70;
    source.put(queueOf({ name: 'a' }, { paused: true, scaling: { mode: 'Observe', minReplicas: 2 } }));
    await reconcile();
    await reconcile();
    expect(fleet.states.get('media/a')).toMatchObject({ replicas: 0 });
    expect(redis.commands).toEqual([]);
    expect(spoken()).toEqual(['WorkersCreated the workers were created']);
    const paused = source.get('media/a')?.status?.conditions?.find(({ type }) => type === 'Paused');
    expect(paused).toMatchObject({ status: 'False', reason: 'Redis' });
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
