import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hasForeignStarts,
  recallForeign,
  type StartsWatch,
  watchStarts,
} from '../../../src/operator/foreign-starts.ts';
import { snapshotOf } from './builders.ts';

const NOW = 1_800_000_000_000;

/** A queue with limits, as the counters of its Redis tell of it. */
class Counted {
  processed = 0;
  active = 0;
  started = 0;
  foreign = 0;

  snapshot() {
    const { processed, active, started } = this;
    return snapshotOf({
      processed,
      size: { active },
      limits: { concurrency: 5, owner: 'operator', started },
    });
  }

  step(kind: string): void {
    if (kind === 'start') [this.active, this.started] = [this.active + 1, this.started + 1];
    if (kind === 'foreign start') [this.active, this.foreign] = [this.active + 1, this.foreign + 1];
    if (this.active === 0) return;
    if (kind === 'end') [this.active, this.processed] = [this.active - 1, this.processed + 1];
    if (kind === 'give back') this.active--;
  }
}

const OWN = ['start', 'start', 'end', 'end', 'give back'] as const;

const rounds = (...kinds: string[]) =>
  fc.array(fc.array(fc.constantFrom(...kinds), { maxLength: 8 }), { maxLength: 20 });

/** Reads after each round; what is known in the end. */
function watched(counted: Counted, all: readonly (readonly string[])[]): StartsWatch | undefined {
  let watch = watchStarts(undefined, counted.snapshot(), NOW);
  for (const round of all) {
    for (const kind of round) counted.step(kind);
    watch = watchStarts(watch, counted.snapshot(), NOW);
  }
  return watch;
}

describe('foreign starts', () => {
  it('are never seen where only servers start tasks that keep to limits', () => {
    fc.assert(
      fc.property(rounds(...OWN), (all) => {
        expect(hasForeignStarts(watched(new Counted(), all), NOW)).toBe(false);
      }),
    );
  });

  it('are seen as soon as there is one that nothing is given back beside', () => {
    fc.assert(
      fc.property(rounds('start', 'end', 'foreign start'), (all) => {
        const counted = new Counted();
        const watch = watched(counted, all);
        expect(hasForeignStarts(watch, NOW)).toBe(counted.foreign > 0);
      }),
    );
  });

  it('are forgotten a minute after the last one', () => {
    const counted = new Counted();
    const watch = watched(counted, [['foreign start']]);
    expect(hasForeignStarts(watch, NOW + 59_000)).toBe(true);
    expect(hasForeignStarts(watch, NOW + 60_000)).toBe(false);
    expect(hasForeignStarts(watchStarts(watch, counted.snapshot(), NOW + 60_000), NOW + 60_000)).toBe(false);
  });

  it.each([
    ['a flushed Redis', { processed: 0, active: 0, started: 0 }],
    ['a count that was forgotten', { processed: 9, active: 2, started: 0 }],
  ])('are not taken from %s', (_, after) => {
    const counted = Object.assign(new Counted(), { processed: 9, active: 2, started: 40 });
    const before = watchStarts(undefined, counted.snapshot(), NOW);
    Object.assign(counted, after);
    expect(hasForeignStarts(watchStarts(before, counted.snapshot(), NOW), NOW)).toBe(false);
  });

  it('are nothing where there are no limits', () => {
    const watch = watched(new Counted(), [['foreign start']]);
    expect(watchStarts(watch, snapshotOf(), NOW)).toBeUndefined();
  });

  it('that the operator before saw are believed for a minute after a restart', () => {
    const condition = {
      type: 'LimitsEnforced',
      status: 'False',
      reason: 'ForeignWorkers',
      message: '',
      observedGeneration: 1,
      lastTransitionTime: '',
    } as const;
    const watch = recallForeign({ conditions: [condition] }, NOW);
    const next = watchStarts(watch, new Counted().snapshot(), NOW + 1_000);
    expect(hasForeignStarts(next, NOW + 1_000)).toBe(true);
    expect(hasForeignStarts(next, NOW + 60_000)).toBe(false);
    expect(recallForeign({ conditions: [{ ...condition, reason: 'Enforced' }] }, NOW)).toBeUndefined();
  });
});
