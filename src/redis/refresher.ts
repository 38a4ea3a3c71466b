import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';

/** Changes announce themselves (MOVED, broken connections); this finds the quiet ones, such as a new replica. */
const REFRESH_EVERY_MS = 30_000;

/** Many reasons to refresh at once are one refresh, and then a pause. */
const REFRESH_PAUSE_MS = 100;

/**
 * Decides when a topology looks again: when it is asked to, and now and then once a look has brought something. Who asks
 * while a look is on its way waits for that one.
 */
export class Refresher {
  readonly #look: () => Promise<boolean>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #closed = new AbortController();
  #running: Promise<void> | undefined;
  #nextAt = 0;
  #isPeriodic = false;

  /** `look` never rejects; whether it brought something. */
  constructor(look: () => Promise<boolean>, parts: { clock: Clock; random: Random }) {
    this.#look = look;
    this.#clock = parts.clock;
    this.#random = parts.random;
  }

  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  refresh(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  close(): void {
    this.#closed.abort();
  }

  async #run(): Promise<void> {
    await this.#clock.sleep(Math.max(0, this.#nextAt - this.#clock.monotonic()), this.#closed.signal);
    if (!this.isClosed && (await this.#look()) && !this.#isPeriodic) {
      this.#isPeriodic = true;
      void this.#refreshPeriodically();
    }
    this.#nextAt = this.#clock.monotonic() + REFRESH_PAUSE_MS;
  }

  async #refreshPeriodically(): Promise<void> {
    while (!this.isClosed) {
      await this.#clock.sleep(REFRESH_EVERY_MS * (0.5 + this.#random()), this.#closed.signal);
      await this.refresh();
    }
  }
}
