import type { Clock } from '../runtime/clock.ts';
import type { Call } from './call.ts';

/**
 * The calls that are not settled yet, and one timer for all their deadlines.
 *
 * Nearly all calls are answered long before theirs, so nothing is kept in order: a call costs one entry in a set, and
 * the set is walked only when the earliest deadline known at some time has come.
 */
export class OpenCalls {
  readonly #clock: Clock;
  readonly #onExpired: (call: Call) => void;
  readonly #calls = new Set<Call>();
  #wakeAt = Number.POSITIVE_INFINITY;
  #timer: AbortController | undefined;

  constructor(clock: Clock, onExpired: (call: Call) => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  add(call: Call): void {
    this.#calls.add(call);
    if (call.deadline < this.#wakeAt) this.#arm(call.deadline);
  }

  delete(call: Call): void {
    this.#calls.delete(call);
  }

  /** Takes out all calls and stops the timer. */
  drain(): Call[] {
    this.#timer?.abort();
    this.#wakeAt = Number.POSITIVE_INFINITY;
    const calls = [...this.#calls];
    this.#calls.clear();
    return calls;
  }

  #arm(deadline: number): void {
    this.#timer?.abort();
    const timer = new AbortController();
    this.#timer = timer;
    this.#wakeAt = deadline;
    void this.#wait(deadline, timer.signal);
  }

  async #wait(deadline: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(Math.max(0, deadline - this.#clock.monotonic()), signal);
    if (signal.aborted) return;
    // When the loop was held up, replies may lie in the sockets: they are read before this goes on.
    await new Promise(setImmediate);
    if (!signal.aborted) this.#expire();
  }

  #expire(): void {
    const now = this.#clock.monotonic();
    const expired: Call[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const call of this.#calls) {
      if (call.deadline <= now) expired.push(call);
      else if (call.deadline < next) next = call.deadline;
    }
    this.#wakeAt = next;
    if (next < Number.POSITIVE_INFINITY) this.#arm(next);
    for (const call of expired) {
      this.#calls.delete(call);
      this.#onExpired(call);
    }
  }
}
