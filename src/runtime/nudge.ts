import type { Clock } from './clock.ts';

/**
 * A sleep that others can cut short. A nudge that comes while nobody sleeps cuts the next sleep, so that what happens
 * between a look and the sleep after it is not slept over.
 */
export class Nudge {
  readonly #clock: Clock;
  #pending = false;
  #sleep: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nudge(): void {
    this.#pending = true;
    this.#sleep?.abort();
  }

  /** One sleeper at a time. */
  async sleep(ms: number): Promise<void> {
    if (!this.#pending) {
      this.#sleep = new AbortController();
      await this.#clock.sleep(ms, this.#sleep.signal);
      this.#sleep = undefined;
    }
    this.#pending = false;
  }
}
