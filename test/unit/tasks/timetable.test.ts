import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseCronSpec } from '../../../src/tasks/cron-spec.ts';
import { Timetable } from '../../../src/tasks/timetable.ts';

const NOON = Date.UTC(2026, 0, 1, 12);
const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

let table: Timetable;
beforeEach(() => {
  table = new Timetable();
});

const add = (id: string, spec: string, now = NOON) => table.add(id, parseCronSpec(spec), now);

it('gives each entry when it is due, the earliest first', () => {
  add('hourly', '@hourly');
  add('minutely', '* * * * *');
  add('never', '0 0 31 2 *');
  expect(table.next).toBe(NOON + MINUTE);
  expect(table.take(NOON + MINUTE - 1)).toEqual([]);
  expect(table.take(NOON + MINUTE)).toEqual([{ id: 'minutely', at: NOON + MINUTE }]);
  expect(table.timesOf('minutely')).toEqual({ next: NOON + 2 * MINUTE, prev: NOON + MINUTE });
  expect(table.take(NOON + HOUR + 5)).toEqual([
    { id: 'minutely', at: NOON + 2 * MINUTE },
    { id: 'hourly', at: NOON + HOUR },
  ]);
  expect(table.timesOf('never')).toEqual({ next: undefined, prev: undefined });
});

it('fires once for all that was missed, and goes on from now', () => {
  add('a', '* * * * *');
  expect(table.take(NOON + 5 * HOUR + 30 * SECOND)).toEqual([{ id: 'a', at: NOON + MINUTE }]);
  expect(table.next).toBe(NOON + 5 * HOUR + MINUTE);
});

it('fires nothing that was due before a start', () => {
  add('a', '* * * * *');
  table.restart(NOON + HOUR + 1);
  expect(table.take(NOON + HOUR + 1)).toEqual([]);
  expect(table.next).toBe(NOON + HOUR + MINUTE);
});

it('forgets what is removed', () => {
  add('a', '@hourly');
  expect([table.remove('a'), table.remove('a')]).toEqual([true, false]);
  expect([table.next, table.take(NOON + 2 * HOUR)]).toEqual([undefined, []]);
});

describe('when the clock is set back', () => {
  beforeEach(() => {
    add('a', '*/5 * * * *');
    table.take(NOON + 5 * MINUTE);
  });

  it('by minutes, does not fire again for a time that it had', () => {
    expect(table.take(NOON + 4 * MINUTE)).toEqual([]);
    expect(table.take(NOON + 5 * MINUTE)).toEqual([]);
    expect(table.take(NOON + 10 * MINUTE)).toEqual([{ id: 'a', at: NOON + 10 * MINUTE }]);
  });

  it('by hours, fires again', () => {
    expect(table.take(NOON - 2 * HOUR)).toEqual([]);
    expect(table.next).toBe(NOON - 2 * HOUR + 5 * MINUTE);
  });

  it('keeps @every within its span', () => {
    add('b', '@every 10s', NOON + 5 * MINUTE);
    expect(table.take(NOON)).toEqual([]);
    expect(table.next).toBe(NOON + 10 * SECOND);
  });
});

it('aligns @every for those who have to agree', () => {
  table.add('a', { kind: 'every', seconds: 40, aligned: true }, NOON + 50 * SECOND);
  expect(table.next).toBe(NOON + 80 * SECOND);
  expect(table.take(NOON + 80 * SECOND + 999)).toEqual([{ id: 'a', at: NOON + 80 * SECOND }]);
  expect(table.next).toBe(NOON + 120 * SECOND);
});

it('never fires early, nor twice for a time, however the clock moves', () => {
  const spec = fc.constantFrom('* * * * *', '*/7 * * * *', '@every 45s', '@hourly');
  const moves = fc.array(fc.integer({ min: -9 * MINUTE, max: 20 * MINUTE }), { maxLength: 50 });
  fc.assert(
    fc.property(spec, moves, (text, steps) => {
      const one = new Timetable();
      one.add('a', parseCronSpec(text), NOON);
      let now = NOON;
      const had: number[] = [];
      for (const step of steps) {
        now += step;
        for (const { at } of one.take(now)) {
          expect(at).toBeLessThanOrEqual(now);
          had.push(at);
        }
      }
      const isEvery = text.startsWith('@every');
      expect(had).toEqual(isEvery ? had : [...new Set(had)].toSorted((a, b) => a - b));
    }),
  );
});
