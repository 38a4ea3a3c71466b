import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

/** As asynq's own: an outage is reported, not every attempt in it. */
const QUIET_MS = 3_000;

/** An error log that speaks at most once in three seconds, and then says how much it kept to itself. */
export class LogThrottle {
  readonly #clock: Clock;
  readonly #log: Logger;
  #spokeAt = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  error(fields: object, message: string): void {
    const now = this.#clock.monotonic();
    if (now - this.#spokeAt < QUIET_MS) {
      this.#unsaid++;
      return;
    }
    this.#log.error(this.#unsaid === 0 ? fields : { ...fields, unsaid: this.#unsaid }, message);
    this.#spokeAt = now;
    this.#unsaid = 0;
  }
}
