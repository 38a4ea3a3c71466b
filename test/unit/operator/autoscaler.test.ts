import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { QueueReading } from '../../../src/broker/queue-reader.ts';
import { decide } from '../../../src/operator/autoscaler.ts';
import { type Decision, type History, NO_HISTORY } from '../../../src/operator/decision.ts';
import type { FleetState } from '../../../src/operator/ends.ts';
import { firstRates, type Rates } from '../../../src/operator/rates.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { fleetOf, snapshotOf, specOf } from './builders.ts';

const NOW = 1_800_000_000_000;
const UNKNOWN: QueueReading = { kind: 'unknown', error: new AsynqError('ASYNQ_REDIS_UNREACHABLE') };

const known = (...figures: Parameters<typeof snapshotOf>): QueueReading => ({
  kind: 'known',
  snapshot: snapshotOf(...figures),
});

const FIRST = firstRates({ at: NOW, processed: 0, waiting: 0, running: 0, readyReplicas: 0 });

const count = (max = 5_000) => fc.nat({ max });

const anyRates = fc
  .record({
    arrivalsPerSecond: fc.double({ min: 0, max: 500, noNaN: true }),
    completions: fc.double({ min: 0, max: 5_000, noNaN: true }),
    seconds: fc.double({ min: 0, max: 50_000, noNaN: true }),
  })
  .map(
    ({ arrivalsPerSecond, completions, seconds }): Rates => ({
      ...FIRST,
      arrivalsPerSecond,
      times: { ...FIRST.times, completions, seconds },
    }),
  );

const anyHistory = fc.record({
  followedUntil: fc.option(
    fc.nat({ max: 20_000 }).map((ago) => NOW - ago),
    { nil: undefined },
  ),
  rates: fc.option(anyRates, { nil: undefined }),
  ghosts: fc.constant<History['ghosts']>([]),
  lastDemandAt: fc.option(
    fc.nat({ max: 200_000 }).map((ago) => NOW - ago),
    { nil: undefined },
  ),
  recommendations: fc
    .array(fc.record({ at: fc.nat({ max: 60_000 }).map((ago) => NOW - ago), replicas: fc.nat({ max: 40 }) }))
    .map((list) => list.toSorted((a, b) => a.at - b.at)),
});

const anyFleet = fc
  .record({
    replicas: fc.nat({ max: 40 }),
    ready: fc.nat({ max: 40 }),
    startupSeconds: fc.array(fc.double({ min: 0, max: 120, noNaN: true }), { maxLength: 8 }),
    problem: fc.option(fc.constant({ reason: 'CrashLoopBackOff', message: 'exit 1' }), { nil: undefined }),
  })
  .map(({ replicas, ready, startupSeconds, problem }) =>
    fleetOf({
      replicas,
      readyReplicas: Math.min(ready, replicas),
      startupSeconds,
      ...(problem === undefined ? {} : { problem }),
    }),
  );

const anySpec = fc
  .record({
    min: fc.nat({ max: 10 }),
    more: fc.nat({ max: 30 }),
    target: fc.oneof(
      fc.record({ latencySeconds: fc.integer({ min: 1, max: 600 }) }),
      fc.record({ tasksPerReplica: fc.integer({ min: 1, max: 500 }) }),
    ),
    scaleToZeroAfterSeconds: fc.nat({ max: 300 }),
    unknownReplicas: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
    paused: fc.option(fc.boolean(), { nil: undefined }),
  })
  .map(({ min, more, target, scaleToZeroAfterSeconds, unknownReplicas, paused }) =>
    specOf({
      ...(paused === undefined ? {} : { paused }),
      scaling: {
        minReplicas: min,
        maxReplicas: Math.max(1, min + more),
        target,
        scaleToZeroAfterSeconds,
        ...(unknownReplicas === undefined ? {} : { onUnknown: 'AtLeast', unknownReplicas }),
      },
    }),
  );

const anySnapshot = fc
  .record({
    pending: count(),
    active: count(),
    due: count(100),
    soon: count(100),
    orphaned: count(20),
    readyGroups: count(20),
    latencySeconds: fc.option(fc.double({ min: 0, max: 600, noNaN: true }), { nil: undefined }),
    paused: fc.boolean(),
  })
  .map(({ pending, active, ...rest }) => snapshotOf({ at: NOW, ...rest, size: { pending, active } }));

const anyReading = fc.oneof(
  { weight: 4, arbitrary: anySnapshot.map((snapshot): QueueReading => ({ kind: 'known', snapshot })) },
  { weight: 1, arbitrary: fc.constant(UNKNOWN) },
);

describe('every decision', () => {
  it('stays between minReplicas and maxReplicas', () => {
    fc.assert(
      fc.property(anySpec, anyReading, anyFleet, anyHistory, (spec, reading, fleet, history) => {
        const { desired } = decide(spec, { reading, fleet }, history, NOW);
        expect(desired).toBeGreaterThanOrEqual(spec.scaling.minReplicas);
        expect(desired).toBeLessThanOrEqual(spec.scaling.maxReplicas);
        expect(Number.isInteger(desired)).toBe(true);
      }),
    );
  });

  it('names each limiter with the number before and after, in one unbroken chain', () => {
    fc.assert(
      fc.property(anySpec, anyReading, anyFleet, anyHistory, (spec, reading, fleet, history) => {
        const { desired, limiters } = decide(spec, { reading, fleet }, history, NOW);
        const ends = limiters.map((limiter) => limiter.after);
        expect(limiters.slice(1).map((limiter) => limiter.before)).toEqual(ends.slice(0, -1));
        expect(ends.at(-1) ?? desired).toBe(desired);
        for (const { before, after } of limiters) expect(before).not.toBe(after);
      }),
    );
  });

  it('can be computed again from its inputs', () => {
    fc.assert(
      fc.property(anySpec, anySnapshot, anyFleet, anyHistory, (spec, snapshot, fleet, history) => {
        const { desired, inputs, limiters } = decide(
          spec,
          { reading: { kind: 'known', snapshot }, fleet },
          history,
          NOW,
        );
        expect(limiters[0]?.before ?? desired).toBe(byHand(inputs));
      }),
    );
  });

  it('never scales up workers that fail to start', () => {
    fc.assert(
      fc.property(anySpec, anyReading, anyFleet, anyHistory, (spec, reading, fleet, history) => {
        const failing = { ...fleet, problem: { reason: 'CrashLoopBackOff', message: 'exit 1' } };
        const { desired } = decide(spec, { reading, fleet: failing }, history, NOW);
        expect(desired).toBeLessThanOrEqual(Math.max(fleet.replicas, spec.scaling.minReplicas, 1));
      }),
    );
  });
});

/** The formulas as the documentation words them, written down a second time. */
function byHand(inputs: Decision['inputs']): number {
  const at = (name: string) => inputs[name] ?? 0;
  const demand = at('waiting') + at('running') + at('soon');
  if (demand === 0) return 0;
  const wake = at('soon') > 0 ? 1 : 0;
  const perReplica = inputs['targetTasksPerReplica'];
  if (perReplica !== undefined)
    return Math.max(wake, Math.ceil((at('waiting') + at('running')) / perReplica));
  const target = at('targetLatencySeconds');
  const left = Math.max(target - at('latencySeconds'), target / 4, at('startUpSeconds'));
  const rate = at('slotsPerReplica') / at('secondsPerTask');
  return Math.max(
    wake,
    Math.ceil((at('waiting') / left + at('arrivalsPerSecond')) / rate),
    Math.ceil(at('running') / at('slotsPerReplica')),
  );
}

describe('the backlog', () => {
  it('never asks for fewer workers when it is longer, all else equal', () => {
    fc.assert(
      fc.property(
        anySpec,
        anySnapshot,
        anyFleet,
        anyHistory,
        count(),
        (spec, snapshot, fleet, history, more) => {
          const longer = {
            ...snapshot,
            size: { ...snapshot.size, pending: snapshot.size.pending + more },
          };
          const desiredFor = (seen: typeof snapshot) =>
            decide(
              spec,
              { reading: { kind: 'known', snapshot: seen }, fleet },
              { ...history, rates: history.rates ?? FIRST },
              NOW,
            ).desired;
          expect(desiredFor(longer)).toBeGreaterThanOrEqual(desiredFor(snapshot));
        },
      ),
    );
  });

  it.each([
    ['pending tasks', { size: { pending: 1 } }],
    ['due scheduled or retry tasks', { due: 1 }],
    ['tasks whose lease has ended', { size: { active: 1 }, orphaned: 1 }],
    ['ready groups', { readyGroups: 1 }],
    ['tasks that fall due before a worker could start', { soon: 1 }],
    ['active tasks', { size: { active: 1 } }],
  ])('wakes a queue from zero at once: %s', (_, figures) => {
    expect(decide(specOf(), { reading: known(figures), fleet: fleetOf() }, NO_HISTORY, NOW).desired).toBe(1);
  });

  it('lets a queue sleep when nothing of it is left', () => {
    const asleep = decide(
      specOf(),
      { reading: known({ size: { scheduled: 9, archived: 9, completed: 9 } }), fleet: fleetOf() },
      NO_HISTORY,
      NOW,
    );
    expect(asleep).toMatchObject({ desired: 0, reason: 'Asleep', limiters: [] });
  });

  it('counts ids without a lease for ten minutes only', () => {
    const ghostly = known({ size: { active: 3 }, ghosts: 3 });
    const fleet = fleetOf();
    const first = decide(specOf(), { reading: ghostly, fleet }, NO_HISTORY, NOW);
    expect(first.desired).toBe(1);
    const later = decide(specOf(), { reading: ghostly, fleet }, first.history, NOW + 600_000);
    expect(later.desired).toBe(0);
  });
});

describe('a Redis that cannot be read', () => {
  it('lowers nothing', () => {
    fc.assert(
      fc.property(anySpec, anyFleet, anyHistory, (spec, fleet, history) => {
        const { desired, reason } = decide(spec, { reading: UNKNOWN, fleet }, history, NOW);
        expect(desired).toBeGreaterThanOrEqual(Math.min(fleet.replicas, spec.scaling.maxReplicas));
        expect(reason).toBe('RedisUnknown');
      }),
    );
  });

  it('raises to unknownReplicas when onUnknown is AtLeast', () => {
    const spec = specOf({ scaling: { onUnknown: 'AtLeast', unknownReplicas: 4 } });
    const decision = decide(spec, { reading: UNKNOWN, fleet: fleetOf({ replicas: 1 }) }, NO_HISTORY, NOW);
    expect(decision.limiters).toEqual([{ name: 'UnknownReplicas', before: 1, after: 4 }]);
  });

  it('does not count as time without demand', () => {
    const fleet = fleetOf({ replicas: 2, readyReplicas: 2 });
    const before: History = { ...NO_HISTORY, lastDemandAt: NOW - 59_000 };
    const blind = decide(specOf(), { reading: UNKNOWN, fleet }, before, NOW + 180_000);
    const back = decide(specOf(), { reading: known(), fleet }, blind.history, NOW + 181_000);
    expect(back).toMatchObject({ desired: 2, inputs: { idleSeconds: 1 } });
  });
});

describe('a queue that was out of sight for a while', () => {
  it('keeps its workers, whatever was seen before', () => {
    fc.assert(
      fc.property(anySpec, anySnapshot, anyFleet, anyHistory, (spec, snapshot, { replicas }, history) => {
        const scaling = { ...spec.scaling, scaleToZeroAfterSeconds: 1 };
        const { desired } = decide(
          { ...spec, scaling },
          { reading: { kind: 'known', snapshot }, fleet: fleetOf({ replicas, readyReplicas: replicas }) },
          { ...history, followedUntil: NOW - 5_001 },
          NOW,
        );
        expect(desired).toBeGreaterThanOrEqual(Math.min(replicas, scaling.maxReplicas));
      }),
    );
  });

  it('is idle from then on', () => {
    const fleet = fleetOf({ replicas: 10, readyReplicas: 10 });
    const before = decide(specOf(), { reading: known({ size: { active: 90 } }), fleet }, NO_HISTORY, NOW);
    const at = (ms: number, history: History) =>
      decide(specOf(), { reading: known(), fleet }, history, NOW + ms);
    const back = at(120_000, before.history);
    expect(back).toMatchObject({ desired: 10, reason: 'Idle', inputs: { idleSeconds: 0 } });
    expect(at(125_000, back.history)).toMatchObject({ desired: 10, inputs: { idleSeconds: 5 } });
  });
});

/** A decision on a queue without demand for `idleMs`. */
function idle(fleet: Partial<FleetState>, idleMs: number, scaling = {}): Decision {
  return decide(
    specOf({ scaling }),
    { reading: known(), fleet: fleetOf(fleet) },
    { ...NO_HISTORY, lastDemandAt: NOW - idleMs, recommendations: [{ at: NOW - 60_000, replicas: 0 }] },
    NOW,
  );
}

describe('the step to zero', () => {
  it('waits for scaleToZeroAfterSeconds', () => {
    expect(idle({ replicas: 3 }, 59_999)).toMatchObject({
      desired: 1,
      reason: 'Idle',
      limiters: [{ name: 'ScaleToZeroAfter', before: 0, after: 1 }],
    });
    expect(idle({ replicas: 3 }, 60_000)).toMatchObject({ desired: 0, reason: 'Asleep', limiters: [] });
  });

  it('is not held back by the stabilisation window', () => {
    const decision = decide(
      specOf({ scaling: { scaleToZeroAfterSeconds: 0 } }),
      { reading: known(), fleet: fleetOf({ replicas: 8 }) },
      { ...NO_HISTORY, recommendations: [{ at: NOW - 1_000, replicas: 8 }] },
      NOW,
    );
    expect(decision).toMatchObject({ desired: 0, limiters: [] });
  });

  it('is not taken while minReplicas holds', () => {
    expect(idle({ replicas: 3 }, 600_000, { minReplicas: 2 })).toMatchObject({
      desired: 2,
      reason: 'Idle',
      limiters: [{ name: 'MinReplicas', before: 0, after: 2 }],
    });
  });
});

describe('an unknown age of the oldest task', () => {
  it('never justifies fewer workers', () => {
    const reading = known({ size: { pending: 1 }, latencySeconds: undefined });
    const past: History = { ...NO_HISTORY, recommendations: [{ at: NOW - 1_000, replicas: 1 }] };
    const decision = decide(specOf(), { reading, fleet: fleetOf({ replicas: 4 }) }, past, NOW);
    expect(decision).toMatchObject({
      desired: 4,
      limiters: [{ name: 'LatencyUnknown', before: 1, after: 4 }],
    });
  });
});

describe('a paused queue', () => {
  const backlog = { size: { pending: 500, active: 12 } };

  it('keeps workers for running tasks only', () => {
    const spec = specOf({ paused: true });
    const { desired, reason } = decide(spec, { reading: known(backlog), fleet: fleetOf() }, NO_HISTORY, NOW);
    expect({ desired, reason }).toEqual({ desired: 2, reason: 'Paused' });
  });

  it('is what Redis says where the spec says nothing', () => {
    const paused = known({ ...backlog, paused: true });
    expect(decide(specOf(), { reading: paused, fleet: fleetOf() }, NO_HISTORY, NOW).reason).toBe('Paused');
    const lifted = decide(specOf({ paused: false }), { reading: paused, fleet: fleetOf() }, NO_HISTORY, NOW);
    expect(lifted.reason).toBe('LatencyTarget');
  });
});

const burst = known({ size: { pending: 10_000 } });

/** What a burst gets where workers that start in 4 s have not become ready for `ms`. */
function notReadyFor(ms: number): number {
  const fleet = fleetOf({ replicas: 5, startupSeconds: [4], notReadySince: NOW - ms });
  return decide(specOf(), { reading: burst, fleet }, NO_HISTORY, NOW).desired;
}

describe('workers that do not start', () => {
  it('are held at one while none is ready', () => {
    const fleet = fleetOf({ replicas: 5, problem: { reason: 'CrashLoopBackOff', message: 'exit 1' } });
    const { desired, limiters } = decide(specOf(), { reading: burst, fleet }, NO_HISTORY, NOW);
    expect(desired).toBe(1);
    expect(limiters.map(({ name }) => name)).toContain('WorkersNotStarting');
  });

  it('are given up on after three times their start-up, not sooner', () => {
    expect(notReadyFor(12_000)).toBe(10);
    expect(notReadyFor(12_001)).toBe(1);
  });

  it('may still go to zero', () => {
    const fleet = fleetOf({ replicas: 1, problem: { reason: 'CrashLoopBackOff', message: 'exit 1' } });
    const past: History = { ...NO_HISTORY, lastDemandAt: NOW - 60_000 };
    expect(decide(specOf(), { reading: known(), fleet }, past, NOW).desired).toBe(0);
  });
});

describe('mode Hold', () => {
  it('keeps the number as it is, outside its bounds too', () => {
    const spec = specOf({ scaling: { mode: 'Hold', maxReplicas: 3 } });
    const reading = known({ size: { pending: 999 } });
    const decision = decide(spec, { reading, fleet: fleetOf({ replicas: 7 }) }, NO_HISTORY, NOW);
    expect(decision).toMatchObject({ desired: 7, reason: 'Held', limiters: [], inputs: { waiting: 999 } });
  });
});
