import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Recommendation } from '../../../src/operator/decision.ts';
import { recommend, stabilized, tolerated } from '../../../src/operator/scaling-window.ts';

const anySteps = fc.array(
  fc.record({ afterMs: fc.integer({ min: 0, max: 20_000 }), replicas: fc.nat({ max: 50 }) }),
  { minLength: 1, maxLength: 40 },
);

/** The rule of the Horizontal Pod Autoscaler in its plainest form: all recommendations are kept and looked through. */
function plainly(current: number, all: readonly Recommendation[], now: number): number {
  const recent = all.filter(({ at }) => at > now - 30_000).map(({ replicas }) => replicas);
  const latest = all.at(-1)?.replicas ?? current;
  const upTo = Math.max(...recent);
  if (latest > current) return latest;
  return upTo < current ? upTo : current;
}

describe('the stabilisation window', () => {
  it('acts as the rule of the Horizontal Pod Autoscaler does, over any sequence', () => {
    fc.assert(
      fc.property(anySteps, fc.nat({ max: 50 }), (steps, start) => {
        let now = 0;
        let current = start;
        let window: readonly Recommendation[] = [];
        const all: Recommendation[] = [];
        for (const { afterMs, replicas } of steps) {
          now += afterMs;
          all.push({ at: now, replicas });
          window = recommend(window, replicas, now);
          const next = stabilized(current, window, replicas);
          expect(next).toBe(plainly(current, all, now));
          current = next;
        }
      }),
    );
  });

  it('remembers no more than it needs', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        let now = 0;
        let window: readonly Recommendation[] = [];
        for (const { afterMs, replicas } of steps) {
          now += afterMs;
          window = recommend(window, replicas, now);
        }
        const heights = window.map(({ replicas }) => replicas);
        expect(heights).toEqual([...new Set(heights)].toSorted((a, b) => b - a));
      }),
    );
  });
});

describe('the tolerance', () => {
  it.each([
    [10, 10.99, 11, 10],
    [10, 11.01, 12, 12],
    [10, 9.01, 10, 10],
    [10, 8.9, 9, 9],
    [0, 0.2, 1, 1],
    [3, 0, 0, 0],
  ])('at %i replicas and %f needed, %i is wanted: %i', (current, needed, wanted, expected) => {
    expect(tolerated(current, needed, wanted)).toBe(expected);
  });
});
