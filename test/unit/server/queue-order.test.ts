import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sharesOf, tiersOf } from '../../../src/server/queue-order.ts';

const weights = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 20 });
const slots = fc.nat(500);
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

function exactParts(count: number, of: readonly number[]): number[] {
  const total = of.reduce((sum, weight) => sum + weight, 0);
  return of.map((weight) => (count * weight) / total);
}

describe('shares of free slots', () => {
  test('add up to the slots', () => {
    fc.assert(
      fc.property(slots, weights, chance, (count, of, drawn) => {
        const shares = sharesOf(count, of, () => drawn);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(count);
      }),
      { numRuns: 1_000 },
    );
  });

  test("are each queue's exact part, rounded up or down", () => {
    fc.assert(
      fc.property(slots, weights, chance, (count, of, drawn) => {
        const exact = exactParts(count, of);
        for (const [index, share] of sharesOf(count, of, () => drawn).entries()) {
          expect(Math.abs(share - (exact[index] ?? Number.NaN))).toBeLessThan(1);
        }
      }),
      { numRuns: 1_000, examples: [[51, [32, 994, 346, 28, 980], 0.9999999999999982]] },
    );
  });

  test('are in the long run what the weights say', () => {
    fc.assert(
      fc.property(slots, weights, (count, of) => {
        const draws = 1_000;
        const sums = of.map(() => 0);
        for (let draw = 0; draw < draws; draw++) {
          for (const [index, share] of sharesOf(count, of, () => (draw + 0.5) / draws).entries()) {
            sums[index] = (sums[index] ?? 0) + share;
          }
        }
        for (const [index, exact] of exactParts(count, of).entries()) {
          expect((sums[index] ?? 0) / draws).toBeCloseTo(exact, 2);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('give the only slot to each queue as often as its weight says', () => {
    const winners = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9].map((drawn) =>
      sharesOf(1, [6, 3, 1], () => drawn).indexOf(1),
    );
    const wins = [0, 1, 2].map((queue) => winners.filter((winner) => winner === queue).length);
    expect(wins).toEqual([6, 3, 1]);
  });
});

describe('tiers', () => {
  const queues = { low: 1, critical: 6, default: 3, mail: 3 };

  test('weighted queues are asked at once, by their weights', () => {
    expect(tiersOf(queues, false)).toEqual([
      [
        { name: 'low', weight: 1 },
        { name: 'critical', weight: 6 },
        { name: 'default', weight: 3 },
        { name: 'mail', weight: 3 },
      ],
    ]);
  });

  test('strict queues are asked by falling priority, equals share', () => {
    expect(tiersOf(queues, true)).toEqual([
      [{ name: 'critical', weight: 1 }],
      [
        { name: 'default', weight: 1 },
        { name: 'mail', weight: 1 },
      ],
      [{ name: 'low', weight: 1 }],
    ]);
  });
});
