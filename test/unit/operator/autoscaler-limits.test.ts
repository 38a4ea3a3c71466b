import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AsynqQueueSpec } from '../../../src/operator/asynq-queue.ts';
import { decide } from '../../../src/operator/autoscaler.ts';
import { type Decision, type History, NO_HISTORY } from '../../../src/operator/decision.ts';
import { firstRates, learn } from '../../../src/operator/rates.ts';
import { fleetOf, snapshotOf, specOf } from './builders.ts';

const NOW = 1_800_000_000_000;
const FIRST = firstRates({ at: NOW, processed: 0, waiting: 0, running: 0, readyReplicas: 0 });

/** A task takes so many seconds. */
const taking = (seconds: number): History => ({
  ...NO_HISTORY,
  rates: { ...FIRST, times: { ...FIRST.times, completions: 99, seconds: 100 * seconds - 1 } },
});

const anyLimits = fc
  .record({
    concurrency: fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }),
    ratePerSecond: fc.option(fc.double({ min: 0.001, max: 500, noNaN: true }), { nil: undefined }),
  })
  .map(({ concurrency, ratePerSecond }) => ({
    ...(concurrency !== undefined && { concurrency }),
    ...(ratePerSecond !== undefined && { ratePerSecond }),
  }));

const anyCase = fc.record({
  limits: anyLimits,
  pending: fc.nat({ max: 5_000 }),
  active: fc.nat({ max: 500 }),
  replicas: fc.nat({ max: 40 }),
  seconds: fc.double({ min: 0.02, max: 600, noNaN: true }),
});

type Case = typeof anyCase extends fc.Arbitrary<infer T> ? T : never;

function decided(
  { pending, active, replicas, seconds }: Omit<Case, 'limits'>,
  spec: Partial<AsynqQueueSpec>,
): Decision {
  const snapshot = snapshotOf({ at: NOW, size: { pending, active } });
  const fleet = fleetOf({ replicas, readyReplicas: replicas });
  const scaling = { maxReplicas: 10_000 };
  return decide(
    specOf({ ...spec, scaling }),
    { reading: { kind: 'known', snapshot }, fleet },
    taking(seconds),
    NOW,
  );
}

describe('limits of a queue', () => {
  it('cap what is proposed, as the documentation words it, and say so', () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        const free = decided(one, {});
        const limited = decided(one, { limits: one.limits });
        const { running = 0, slotsPerReplica = 1, secondsPerTask = 1 } = limited.inputs;
        const { concurrency = Infinity, ratePerSecond = Infinity } = one.limits;
        const proposed = free.limiters[0]?.before ?? free.desired;
        const byConcurrency = Math.ceil(concurrency / slotsPerReplica);
        const rate = limited.inputs['limitRatePerSecond'] ?? ratePerSecond;
        const byRate = Math.ceil(Math.max(rate * secondsPerTask, running) / slotsPerReplica);
        const said = limited.limiters.filter(({ name }) => name.startsWith('Queue'));
        expect(said).toEqual(
          [
            { name: 'QueueConcurrency', before: proposed, after: Math.min(proposed, byConcurrency) },
            {
              name: 'QueueRate',
              before: Math.min(proposed, byConcurrency),
              after: Math.min(proposed, byConcurrency, byRate),
            },
          ].filter(({ before, after }) => before !== after),
        );
      }),
    );
  });

  it('never lead to more workers than without, nor to none while there is demand', () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        const { desired } = decided(one, { limits: one.limits });
        expect(desired).toBeLessThanOrEqual(decided(one, {}).desired);
        expect(desired > 0).toBe(one.pending + one.active > 0 || one.replicas > 0);
      }),
    );
  });

  it.each([
    [{ concurrency: 25 }, 3, 'QueueConcurrency'],
    [{ ratePerSecond: 12 }, 3, 'QueueRate'],
    [{ ratePerSecond: 0.5 }, 1, 'QueueRate'],
    [{ concurrency: 25, ratePerSecond: 2 }, 1, 'QueueRate'],
  ])('%j and tasks of two seconds', (limits, desired, limiter) => {
    const one = { limits, pending: 100_000, active: 0, replicas: 0, seconds: 2 };
    expect(decided(one, { limits })).toMatchObject({ desired, reason: 'LatencyTarget' });
    expect(decided(one, { limits }).limiters.at(-1)).toMatchObject({ name: limiter, after: desired });
  });

  it('that somebody else set count too; those of the spec come first', () => {
    const limits = { concurrency: 20, owner: 'hand', started: 0 } as const;
    const reading = {
      kind: 'known',
      snapshot: snapshotOf({ at: NOW, size: { pending: 9_000 }, limits }),
    } as const;
    const desired = (spec: Partial<AsynqQueueSpec>) =>
      decide(specOf(spec), { reading, fleet: fleetOf() }, NO_HISTORY, NOW).desired;
    expect(desired({})).toBe(2);
    expect(desired({ limits: { concurrency: 70 } })).toBe(7);
  });

  it('leave their places to tasks that run', () => {
    const one = { limits: { ratePerSecond: 1 }, pending: 500_000, active: 95, replicas: 12, seconds: 0.1 };
    expect(decided(one, { limits: one.limits }).limiters).toContainEqual({
      name: 'QueueRate',
      before: expect.any(Number),
      after: 10,
    });
  });

  it('are not taken for the number of places that a worker has', () => {
    const sample = { at: NOW + 1_000, processed: 5, waiting: 100, running: 2, readyReplicas: 2 };
    const known = { ...FIRST, slotsPerReplica: 10 };
    expect(learn(known, { ...sample, isLimited: true }).slotsPerReplica).toBe(10);
    expect(learn(FIRST, { ...sample, isLimited: true }).slotsPerReplica).toBeUndefined();
    expect(learn(known, { ...sample, running: 60, isLimited: true }).slotsPerReplica).toBeGreaterThan(10);
    expect(learn(known, sample).slotsPerReplica).toBeLessThan(10);
  });
});
