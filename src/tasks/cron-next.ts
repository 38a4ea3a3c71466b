import type { CronSpec, EverySpec, FieldsSpec } from './cron-spec.ts';

const MINUTE_MS = 60_000;

/** A date that has not come within so many years never does: 31 February. As in Go. */
const YEARS_AHEAD = 5;

/**
 * The first time after `afterMs` at which a spec fires; undefined when it never does. Unix milliseconds, whole seconds.
 *
 * Fields fire at each minute in which the clocks of their zone show them: not when it is skipped, twice when it is
 * repeated. So does robfig/cron, but for three faults that are not repeated: it misses hours after a change of half an
 * hour, misses days, or hits wrong ones, that have no midnight, and runs for ever where a zone left out a day.
 */
export function nextFire(spec: CronSpec, afterMs: number): number | undefined {
  if (spec.kind === 'every') return nextEvery(spec, afterMs);
  const { zone } = spec;
  const limit = new Date(afterMs + zone.offsetAt(afterMs)).getUTCFullYear() + YEARS_AHEAD;
  let from = afterMs;
  let wall = Math.floor((from + zone.offsetAt(from)) / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  for (;;) {
    // As if the clocks would never be changed; if they are before that, look again from there.
    const match = nextWall(spec, wall, limit);
    if (match === undefined) return undefined;
    const fire = match - zone.offsetAt(from);
    const change = zone.changeBetween(from, fire);
    if (change === undefined) return fire;
    from = change;
    wall = Math.ceil((change + zone.offsetAt(change)) / MINUTE_MS) * MINUTE_MS;
  }
}

function nextEvery({ seconds, aligned = false }: EverySpec, afterMs: number): number {
  const second = Math.floor(afterMs / 1000);
  return (aligned ? (Math.floor(second / seconds) + 1) * seconds : second + seconds) * 1000;
}

/** The first minute from `wall` on that matches; times of the wall clock, as if it were one of UTC. */
function nextWall(spec: FieldsSpec, wall: number, yearLimit: number): number | undefined {
  const start = new Date(wall);
  const year = start.getUTCFullYear();
  const startOfDay = Date.UTC(year, start.getUTCMonth(), start.getUTCDate());
  const today = timeOfDay(spec, wall - startOfDay);
  if (today !== undefined && matchesDay(spec, start)) return startOfDay + today;
  const first = timeOfDay(spec, 0);
  if (first === undefined) return undefined;
  const day = new Date(startOfDay);
  do {
    day.setUTCDate(day.getUTCDate() + 1);
    if (day.getUTCFullYear() > yearLimit) return undefined;
    if (!spec.months.has(day.getUTCMonth() + 1)) day.setUTCMonth(day.getUTCMonth() + 1, 0);
  } while (!matchesDay(spec, day));
  return day.getTime() + first;
}

/** The first time of day from `ms` on, milliseconds since midnight. */
function timeOfDay({ hours, minutes }: FieldsSpec, ms: number): number | undefined {
  const fromMinute = Math.floor(ms / MINUTE_MS);
  for (const hour of hours) {
    for (const minute of minutes) {
      if (hour * 60 + minute >= fromMinute) return (hour * 60 + minute) * MINUTE_MS;
    }
  }
  return undefined;
}

function matchesDay({ months, daysOfMonth, daysOfWeek, anyDay }: FieldsSpec, day: Date): boolean {
  if (!months.has(day.getUTCMonth() + 1)) return false;
  const isDayOfMonth = daysOfMonth.has(day.getUTCDate());
  const isDayOfWeek = daysOfWeek.has(day.getUTCDay());
  return anyDay ? isDayOfMonth || isDayOfWeek : isDayOfMonth && isDayOfWeek;
}
