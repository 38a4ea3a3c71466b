import { nextFire } from './cron-next.ts';
import type { CronSpec } from './cron-spec.ts';

/** A clock that is set back by more than this starts a new plan; by less, times that were had are not had again. */
const SET_BACK_MS = 600_000;

/** When a spec fires next and when it did last, Unix milliseconds. */
export interface FireTimes {
  readonly next: number | undefined;
  readonly prev: number | undefined;
}

export interface Fire {
  readonly id: string;
  /** The time it was due, which may be long ago. */
  readonly at: number;
}

interface Row {
  readonly spec: CronSpec;
  next: number | undefined;
  prev: number | undefined;
}

/**
 * Which entries fire when. It has no clock: whoever has one asks what is due.
 *
 * What was missed (the process stood still, or the clock was set forward) fires once, for the earliest time missed, and
 * goes on from now: nothing is caught up, as in Go. When the clock is set back by some minutes, each time still fires
 * once; by more, the times that come again fire again. `@every` is never further off than its span.
 */
export class Timetable {
  readonly #rows = new Map<string, Row>();
  #seen = Number.NEGATIVE_INFINITY;

  add(id: string, spec: CronSpec, now: number): void {
    this.#rows.set(id, { spec, next: nextFire(spec, now), prev: undefined });
  }

  /** Whether it was there. */
  remove(id: string): boolean {
    return this.#rows.delete(id);
  }

  /** Plans all entries anew: what was due before `now` is not. */
  restart(now: number): void {
    for (const row of this.#rows.values()) row.next = nextFire(row.spec, now);
    this.#seen = now;
  }

  /** What is due, in order; it counts as fired. */
  take(now: number): Fire[] {
    if (now < this.#seen - SET_BACK_MS) this.restart(now);
    this.#seen = now;
    const fires: Fire[] = [];
    for (const [id, row] of this.#rows) {
      const { spec, next } = row;
      if (next !== undefined && next <= now) {
        fires.push({ id, at: next });
        row.prev = next;
        row.next = nextFire(spec, now);
      } else if (spec.kind === 'every' && next !== undefined && next > now + spec.seconds * 1000) {
        row.next = nextFire(spec, now);
      }
    }
    return fires.toSorted((a, b) => a.at - b.at);
  }

  /** The earliest time at which something is due. */
  get next(): number | undefined {
    let earliest: number | undefined;
    for (const { next } of this.#rows.values()) {
      if (next !== undefined && (earliest === undefined || next < earliest)) earliest = next;
    }
    return earliest;
  }

  timesOf(id: string): FireTimes {
    const { next, prev } = this.#rows.get(id) ?? { next: undefined, prev: undefined };
    return { next, prev };
  }
}
