const HOUR_MS = 3_600_000;

/** No zone has ever changed its clocks twice within so short a time. */
const STEP_MS = 12 * HOUR_MS;

/** `GMT`, `GMT-05:00` or, before there was standard time, `GMT-04:56:02`. */
const OFFSET = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;

/** A zone of the IANA database, as Node knows it. Instants are Unix milliseconds. */
export class TimeZone {
  /** Zones that were asked for: what is known of one serves all its specs. */
  static readonly #known = new Map<string, TimeZone>();

  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  /** Offsets at multiples of the step, by their number: each spec passes by the same ones. */
  readonly #offsets = new Map<number, number>();

  private constructor(name: string, format: Intl.DateTimeFormat) {
    this.name = name;
    this.#format = format;
  }

  /** Undefined when there is no such zone. Offsets such as `+05:30`, which Intl takes and Go does not, are none. */
  static named(name: string): TimeZone | undefined {
    const known = this.#known.get(name);
    if (known !== undefined || !/^[a-z]/i.test(name)) return known;
    try {
      const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
      const zone = new TimeZone(name, format);
      this.#known.set(name, zone);
      return zone;
    } catch {
      return undefined;
    }
  }

  /** How far its clocks are ahead of UTC at an instant, milliseconds. */
  offsetAt(ms: number): number {
    const [, sign, hours, minutes, seconds = 0] = OFFSET.exec(this.#format.format(ms)) ?? [];
    if (sign === undefined) return 0;
    const offset = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
    return sign === '-' ? -offset : offset;
  }

  /** The first instant in (`from`, `to`] from which on its clocks are off by something else than at `from`. */
  changeBetween(from: number, to: number): number | undefined {
    const offset = this.offsetAt(from);
    for (let low = from; low < to; ) {
      const step = Math.floor(low / STEP_MS) + 1;
      const high = Math.min(step * STEP_MS, to);
      const offsetThen = high < to ? this.#offsetAtStep(step) : this.offsetAt(high);
      if (offsetThen !== offset) return this.#bisect(low, high, offset);
      low = high;
    }
    return undefined;
  }

  #offsetAtStep(step: number): number {
    const known = this.#offsets.get(step);
    if (known !== undefined) return known;
    const offset = this.offsetAt(step * STEP_MS);
    this.#offsets.set(step, offset);
    return offset;
  }

  #bisect(before: number, after: number, offset: number): number {
    let [low, high] = [before, after];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offsetAt(middle) === offset) low = middle;
      else high = middle;
    }
    return high;
  }
}
