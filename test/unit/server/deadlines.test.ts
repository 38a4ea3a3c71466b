import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Deadlines } from '../../../src/server/deadlines.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const item = (dueAt: number) => ({ dueAt, heapIndex: -1 });
type Item = ReturnType<typeof item>;

describe('deadlines', () => {
  test('are called back in order, each in its millisecond, unless removed before', async () => {
    const span = fc.record({ ms: fc.integer({ min: 1, max: 300_000 }), removed: fc.boolean() });
    const spans = fc.array(span, { minLength: 20, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(spans, async (wanted) => {
        const clock = new FakeClock();
        const passed: { item: Item; at: number }[] = [];
        const deadlines = new Deadlines<Item>(clock, (one) => passed.push({ item: one, at: clock.now() }));
        const items = wanted.map(({ ms, removed }) => ({ one: item(clock.now() + ms), removed }));
        for (const { one } of items) deadlines.add(one);
        for (const { one, removed } of items) if (removed) deadlines.remove(one);
        await clock.advance(300_000);
        const kept = items.filter(({ removed }) => !removed).map(({ one }) => one.dueAt);
        expect(passed.map(({ at }) => at)).toEqual(kept.toSorted((a, b) => a - b));
        expect(passed.every(({ item: one, at }) => one.dueAt === at)).toBe(true);
        deadlines.stop();
      }),
      { numRuns: 30 },
    );
  });

  test('cost one timer, however many there are', async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines<Item>(clock, () => {});
    for (let ms = 1_000; ms < 100_000; ms += 100) deadlines.add(item(clock.now() + ms));
    await clock.advance(0);
    expect(clock.sleepers).toBe(1);
    deadlines.stop();
    await clock.advance(0);
    expect(clock.sleepers).toBe(0);
  });

  test('an earlier one that comes later is in time', async () => {
    const clock = new FakeClock();
    const passed: number[] = [];
    const deadlines = new Deadlines<Item>(clock, (one) => passed.push(one.dueAt));
    const start = clock.now();
    deadlines.add(item(start + 50_000));
    await clock.advance(10);
    deadlines.add(item(start + 20));
    await clock.advance(10);
    expect(passed).toEqual([start + 20]);
    deadlines.stop();
  });

  test('one that passes may add another', async () => {
    const clock = new FakeClock();
    const passed: number[] = [];
    const start = clock.now();
    const deadlines: Deadlines<Item> = new Deadlines<Item>(clock, (one) => {
      passed.push(one.dueAt - start);
      if (passed.length < 3) deadlines.add(item(one.dueAt + 5));
    });
    deadlines.add(item(start + 5));
    await clock.advance(100);
    expect(passed).toEqual([5, 10, 15]);
    deadlines.stop();
  });

  test('years away do not overflow the timer', async () => {
    const clock = new FakeClock();
    const passed: Item[] = [];
    const deadlines = new Deadlines<Item>(clock, (one) => passed.push(one));
    deadlines.add(item(clock.now() + 10 * 365 * 24 * 3600 * 1000));
    await clock.advance(3_600_000);
    expect(passed).toEqual([]);
    expect(clock.sleepers).toBe(1);
    deadlines.stop();
  });
});
