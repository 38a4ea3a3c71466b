import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlannedWorker, planFleet } from '../../../../src/operator/ends/local-fleet-plan.ts';

const worker = (revision: string, isReady = true, active = 0): PlannedWorker => ({
  revision,
  isReady,
  active,
});

describe('planFleet', () => {
  it('starts what is missing', () => {
    expect(planFleet([], { replicas: 3, revision: 'a' })).toEqual({ start: 3, stop: [] });
    expect(planFleet([worker('a')], { replicas: 3, revision: 'a' })).toEqual({ start: 2, stop: [] });
  });

  it('stops those that are not ready first, then the idle ones, then the newest', () => {
    const busy = worker('a', true, 2);
    const oldest = worker('a');
    const newest = worker('a');
    const starting = worker('a', false);
    const workers = [oldest, busy, newest, starting];
    const stops = (replicas: number) => planFleet(workers, { replicas, revision: 'a' }).stop;
    expect(stops(3)).toEqual([starting]);
    expect(stops(2)).toEqual([starting, newest]);
    expect(stops(1)).toEqual([starting, newest, oldest]);
    expect(stops(0)).toEqual([starting, newest, oldest, busy]);
  });

  it('keeps the workers of an old revision until new ones are ready', () => {
    const old = [worker('a'), worker('a')];
    expect(planFleet(old, { replicas: 2, revision: 'b' })).toEqual({ start: 2, stop: [] });
    const half = [...old, worker('b'), worker('b', false)];
    expect(planFleet(half, { replicas: 2, revision: 'b' })).toEqual({ start: 0, stop: [old[1]] });
    const done = [...old, worker('b'), worker('b')];
    expect(planFleet(done, { replicas: 2, revision: 'b' }).stop).toHaveLength(2);
  });

  const anyWorker = fc.record({
    revision: fc.constantFrom('a', 'b', 'c'),
    isReady: fc.boolean(),
    active: fc.nat(3),
  });

  it('comes to rest with exactly the workers asked for, and never below them on the way', () => {
    fc.assert(
      fc.property(fc.array(anyWorker, { maxLength: 8 }), fc.nat(8), (before, replicas) => {
        let workers: PlannedWorker[] = before;
        for (let round = 0; round < 20; round++) {
          const ready = workers.filter(({ isReady }) => isReady).length;
          const { start, stop } = planFleet(workers, { replicas, revision: 'a' });
          const left = workers.filter((one) => !stop.includes(one));
          expect(left.filter(({ isReady }) => isReady).length).toBeGreaterThanOrEqual(
            Math.min(ready, replicas),
          );
          // Whatever was started becomes ready by the next round.
          const settled = left.map((one) => ({ ...one, isReady: one.revision === 'a' || one.isReady }));
          workers = [...settled, ...Array.from({ length: start }, () => worker('a', false))];
        }
        expect(workers).toEqual(
          Array.from({ length: replicas }, () => expect.objectContaining({ revision: 'a' })),
        );
      }),
    );
  });
});
