import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  firstRates,
  learn,
  type RateSample,
  type Rates,
  secondsPerTask,
} from '../../../src/operator/rates.ts';

const sample = (figures: Partial<RateSample> = {}): RateSample => ({
  at: 0,
  processed: 0,
  waiting: 0,
  running: 0,
  readyReplicas: 1,
  ...figures,
});

/** One reading a second, `seconds` of them, each made from the second's number. */
function watch(seconds: number, figures: (second: number) => Partial<RateSample>, from?: Rates): Rates {
  const start = from === undefined ? 0 : from.at / 1000;
  let rates = from ?? firstRates(sample(figures(0)));
  for (let second = start + 1; second <= start + seconds; second++) {
    rates = learn(rates, sample({ ...figures(second), at: second * 1000 }));
  }
  return rates;
}

describe('the time of a task', () => {
  it('is what runs over what ends, for busy and for idle workers', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 20, noNaN: true }),
        fc.integer({ min: 1, max: 200 }),
        (taskSeconds, perSecond) => {
          const running = taskSeconds * perSecond;
          const rates = watch(300, (second) => ({ running, processed: second * perSecond }));
          expect(secondsPerTask(rates)).toBeGreaterThan(taskSeconds * 0.95);
          expect(secondsPerTask(rates)).toBeLessThan(taskSeconds * 1.1 + 0.1);
        },
      ),
    );
  });

  it('keeps enough evidence of slow tasks', () => {
    const rates = watch(3_600, (second) => ({ running: 60, processed: Math.floor(second / 5) }));
    expect(secondsPerTask(rates)).toBeGreaterThan(280);
    expect(secondsPerTask(rates)).toBeLessThan(310);
  });

  it('follows when tasks become four times as slow', () => {
    const fast = watch(300, (second) => ({ running: 10, processed: second * 20 }));
    const slow = watch(180, (second) => ({ running: 40, processed: 6_000 + (second - 300) * 20 }), fast);
    expect(secondsPerTask(fast)).toBeCloseTo(0.5, 1);
    expect(secondsPerTask(slow)).toBeCloseTo(2, 0);
  });

  it('grows while nothing ends, as if all ended now, and not beyond', () => {
    const seconds = [60, 120, 299].map((s) => secondsPerTask(watch(s, () => ({ running: 60 }))));
    expect(seconds.map(Math.round)).toEqual([59, 118, 294]);
  });

  it('is not made endless by one task that hangs', () => {
    const busy = watch(120, (second) => ({ running: 10, processed: second * 10 }));
    const hung = watch(3_600, () => ({ running: 1, processed: 1_200 }), busy);
    expect(secondsPerTask(hung)).toBeLessThan(20);
  });

  it('is remembered while nothing runs', () => {
    const busy = watch(120, (second) => ({ running: 10, processed: second * 5 }));
    const idle = watch(3_600, () => ({ processed: 600 }), busy);
    expect(secondsPerTask(idle)).toBe(secondsPerTask(busy));
  });
});

describe('the rate of arrivals', () => {
  it('is what came, whether it waits, runs or has ended', () => {
    const rates = watch(300, (second) => ({ waiting: second * 5, running: 10, processed: second * 15 }));
    expect(rates.arrivalsPerSecond).toBeCloseTo(20, 1);
  });

  it('fades when nothing comes', () => {
    const busy = watch(300, (second) => ({ waiting: second * 20 }));
    const quiet = watch(90, () => ({ waiting: 6_000 }), busy);
    expect(quiet.arrivalsPerSecond).toBeLessThan(1.1);
  });

  it('is never negative, whatever is deleted', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1_000 }), { minLength: 2, maxLength: 50 }), (waiting) => {
        const rates = watch(waiting.length - 1, (second) => ({ waiting: waiting[second] ?? 0 }));
        expect(rates.arrivalsPerSecond).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('counters', () => {
  it('that run backwards start a new count and keep what was learned', () => {
    const before = watch(60, (second) => ({ running: 10, processed: second * 10 }));
    const after = learn(before, sample({ at: 61_000, running: 10, processed: 0 }));
    expect(after).toMatchObject({ at: 61_000, processed: 0, inside: 10 });
    expect(secondsPerTask(after)).toBe(secondsPerTask(before));
    expect(after.arrivalsPerSecond).toBe(before.arrivalsPerSecond);
  });

  it('read twice within a moment count once', () => {
    const rates = watch(60, (second) => ({ running: 10, processed: second * 10 }));
    expect(learn(rates, sample({ at: 60_050, running: 10, processed: 700 }))).toBe(rates);
  });

  it('after a long gap say nothing about rates', () => {
    const rates = watch(60, (second) => ({ running: 10, processed: second * 10 }));
    const later = learn(rates, sample({ at: 4_000_000, processed: 9_999_999 }));
    expect(later.arrivalsPerSecond).toBe(rates.arrivalsPerSecond);
    expect(later.processed).toBe(9_999_999);
  });
});

describe('slots of a replica', () => {
  it('are seen where tasks wait for them', () => {
    const rates = watch(120, () => ({ waiting: 5, running: 40, readyReplicas: 2 }));
    expect(rates.slotsPerReplica).toBe(20);
    expect(watch(120, () => ({ running: 3 })).slotsPerReplica).toBeUndefined();
  });
});
