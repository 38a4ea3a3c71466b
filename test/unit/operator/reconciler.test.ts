import { beforeEach, describe, expect, it } from 'vitest';
import { Reconciler } from '../../../src/operator/reconciler.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { queueOf, snapshotOf } from './builders.ts';
import { MemoryFleet, MemoryRedis, MemorySource } from './memory-ends.ts';

let clock: FakeClock;
let source: MemorySource;
let fleet: MemoryFleet;
let redis: MemoryRedis;
let pending: number;
let mayWrite: boolean;
let reconciler: Reconciler;

beforeEach(() => {
  clock = new FakeClock();
  source = new MemorySource();
  fleet = new MemoryFleet();
  redis = new MemoryRedis();
  pending = 0;
  mayWrite = true;
  reconciler = new Reconciler({
    source,
    fleet,
    sight: () => ({
      kind: 'read',
      reading: { kind: 'known', snapshot: snapshotOf({ at: clock.now(), size: { pending } }) },
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
});
