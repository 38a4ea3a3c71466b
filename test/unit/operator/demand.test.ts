import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demandOf, type GhostLevels, oldGhosts, trackGhosts } from '../../../src/operator/demand.ts';
import { snapshotOf } from './builders.ts';

const MINUTE = 60_000;

/** One look a minute. */
const after = (counts: readonly number[]): GhostLevels =>
  counts.reduce<GhostLevels>((levels, count, minute) => trackGhosts(levels, count, minute * MINUTE), []);

describe('demand', () => {
  it('counts whatever only a worker can move, and each task once', () => {
    const snapshot = snapshotOf({
      size: { pending: 5, active: 9, scheduled: 100, retry: 100 },
      due: 3,
      soon: 4,
      orphaned: 2,
      readyGroups: 6,
    });
    expect(demandOf(snapshot, 1)).toEqual({ waiting: 16, running: 6, soon: 4 });
  });

  it('is never negative', () => {
    expect(demandOf(snapshotOf({ size: { active: 1 }, orphaned: 5 }), 3).running).toBe(0);
  });
});

describe('ghosts', () => {
  it('are old after ten minutes, each by its own age', () => {
    const levels = after([2, 2, 2, 5, 5]);
    expect([9, 10, 12, 13].map((minute) => oldGhosts(levels, minute * MINUTE))).toEqual([0, 2, 2, 5]);
  });

  it('that vanish are forgotten, the youngest first', () => {
    expect(oldGhosts(after([4, 4, 1]), 11 * MINUTE)).toBe(1);
    expect(after([4, 0])).toEqual([]);
  });

  it('never count as more than there are, nor before their time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 60 }), (counts) => {
        const levels = after(counts);
        const now = (counts.length - 1) * MINUTE;
        const window = counts.slice(-11);
        const atMost = counts.length > 10 ? Math.min(...window) : 0;
        expect(oldGhosts(levels, now)).toBe(atMost);
      }),
    );
  });
});
