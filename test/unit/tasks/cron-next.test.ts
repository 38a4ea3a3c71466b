import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { nextFire } from '../../../src/tasks/cron-next.ts';
import { type FieldsSpec, parseCronSpec } from '../../../src/tasks/cron-spec.ts';
import vectors from '../../vectors/cron.json' with { type: 'json' };

const MINUTE = 60_000;

/** Where robfig/cron loses its way, and why: what it says there is not what the clocks show. */
const FAULTS_OF_ROBFIG: Readonly<Record<string, string>> = {
  'America/Havana': 'a day without midnight is run into the day before',
  'America/Sao_Paulo': 'a day without midnight is run into the day before',
  'Asia/Beirut': 'a day without midnight is left out',
  'Australia/Lord_Howe': 'after a change of half an hour all hours of the day begin at half past',
};

/** The first `count` times after a Unix second, as Unix seconds. */
function times(spec: string, location: string, after: number, count = 6): number[] {
  const parsed = parseCronSpec(spec, location);
  const all: number[] = [];
  for (let at: number | undefined = after * 1000; all.length < count; ) {
    at = nextFire(parsed, at);
    if (at === undefined) break;
    all.push(at / 1000);
  }
  return all;
}

/** What the clocks of a zone show, told by Intl and nothing of ours. */
function clockOf(timeZone: string): (ms: number) => Record<string, string> {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    month: 'numeric',
    day: 'numeric',
    weekday: 'short',
    hour: 'numeric',
    minute: 'numeric',
  });
  return (ms) => Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
}

function matches(spec: FieldsSpec, shown: Record<string, string>): boolean {
  const weekday = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(shown['weekday'] ?? '');
  const days = [spec.daysOfMonth.has(Number(shown['day'])), spec.daysOfWeek.has(weekday)];
  return (
    spec.minutes.has(Number(shown['minute'])) &&
    spec.hours.has(Number(shown['hour'])) &&
    spec.months.has(Number(shown['month'])) &&
    (spec.anyDay ? days.includes(true) : !days.includes(false))
  );
}

/** The first time after `afterMs` and up to `untilMs`, minute for minute, for a fortnight at most. */
function firstByLooking(spec: FieldsSpec, afterMs: number, untilMs: number): number | undefined {
  const clock = clockOf(spec.zone.name);
  const end = Math.min(untilMs, afterMs + 15 * 24 * 60 * MINUTE);
  for (let at = Math.floor(afterMs / MINUTE) * MINUTE + MINUTE; at <= end; at += MINUTE) {
    if (matches(spec, clock(at))) return at;
  }
  return undefined;
}

interface Difference {
  readonly spec: string;
  readonly ours: number | undefined;
  /** What a look at the clock says, minute for minute. */
  readonly shown: number | undefined;
}

/** Where our times of a vector leave those of robfig/cron; the first of each spec. */
function differences({ location, after, times: all }: (typeof vectors.vectors)[number]): Difference[] {
  return Object.entries(all).flatMap(([spec, theirs]) => {
    const ours = times(spec, location, after);
    const at = [...ours, undefined].findIndex((time, index) => time !== theirs[index]);
    if (at === -1) return [];
    const before = ours[at - 1] ?? after;
    const until = Math.max(ours[at] ?? 0, theirs[at] ?? 0);
    const shown = firstByLooking(parseCronSpec(spec, location) as FieldsSpec, before * 1000, until * 1000);
    return [{ spec, ours: ours[at], shown: shown && shown / 1000 }];
  });
}

const compared = vectors.vectors.map(({ location, after, times: all }) => ({
  location,
  after,
  found: differences({ location, after, times: all }),
}));

it.each(compared)('fires in $location after $after when robfig/cron does', ({ location, found }) => {
  expect(location in FAULTS_OF_ROBFIG ? [] : found).toEqual([]);
  expect(found).toEqual(found.map(({ spec, shown }) => ({ spec, ours: shown, shown })));
});

it.each(Object.entries(FAULTS_OF_ROBFIG))('does not do as robfig/cron in %s: %s', (zoneName) => {
  const ofZone = compared.filter(({ location }) => location === zoneName);
  expect(ofZone.flatMap(({ found }) => found)).not.toEqual([]);
});

it('comes to an end where a zone left out a day, which robfig/cron does not', () => {
  const [before, first, after] = times('0 12 * * *', 'Pacific/Apia', Date.UTC(2011, 11, 28, 22) / 1000, 3);
  const shown = clockOf('Pacific/Apia');
  expect([before, first, after].map((at = 0) => shown(at * 1000)['day'])).toEqual(['29', '31', '1']);
  expect(times('0 12 30 12 *', 'Pacific/Apia', Date.UTC(2011, 11, 1) / 1000, 1)).toEqual([
    Date.UTC(2012, 11, 29, 22) / 1000,
  ]);
});

it('never fires for a field without a value, at once', () => {
  for (const spec of [', * * * *', '* , * * *', '* * , * ,', '* * * , *']) {
    expect(times(spec, 'America/New_York', 1_700_000_000)).toEqual([]);
  }
});

const subset = (min: number, max: number) =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant('*') },
    fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 4 }).map(String),
  );
const anyFields = fc
  .tuple(subset(0, 59), subset(0, 23), subset(1, 31), subset(1, 12), subset(0, 6))
  .map((all) => all.join(' '));
const zone = fc.constantFrom(
  'UTC',
  'America/New_York',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'America/Sao_Paulo',
  'Asia/Beirut',
  'Pacific/Apia',
);
const start = fc.integer({ min: Date.UTC(2000), max: Date.UTC(2030) });

it('fires later than asked, when the clocks show the fields, and misses no minute before', () => {
  fc.assert(
    fc.property(anyFields, zone, start, (text, location, after) => {
      const spec = parseCronSpec(text, location) as FieldsSpec;
      const next = nextFire(spec, after);
      fc.pre(next !== undefined);
      expect(next).toBeGreaterThan(after);
      expect(matches(spec, clockOf(location)(next))).toBe(true);
      expect(firstByLooking(spec, after, Math.min(next - 1, after + 300 * MINUTE))).toBeUndefined();
    }),
  );
});

it('comes to the same time from whatever moment before it', () => {
  fc.assert(
    fc.property(
      anyFields,
      zone,
      start,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (text, location, after, part) => {
        const spec = parseCronSpec(text, location);
        const next = nextFire(spec, after);
        fc.pre(next !== undefined);
        expect(nextFire(spec, Math.floor(after + (next - 1 - after) * part))).toBe(next);
      },
    ),
  );
});

it('counts @every from the second it is asked in', () => {
  const every = parseCronSpec('@every 90s');
  expect(nextFire(every, 1_700_000_000_999)).toBe(1_700_000_090_000);
});
