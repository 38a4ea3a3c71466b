import type { Broker } from '../broker/broker.ts';
import type { Clock } from '../runtime/clock.ts';
import { LogThrottle } from '../runtime/log-throttle.ts';
import type { Logger } from '../runtime/logger.ts';
import type { QueueSet } from './queue-set.ts';

export interface ForwarderParts {
  readonly broker: Pick<Broker, 'forward'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly queues: QueueSet;
  /** Longest time between two looks, milliseconds: others add scheduled tasks without telling us. */
  readonly longestSleep: number;
  /** Tasks became pending. */
  readonly onMoved: () => void;
}

/**
 * Moves scheduled and retry tasks to pending when they fall due.
 *
 * Go's forwarder looks each 5 s, so its tasks start up to 5 s late. This one sleeps until the next due score of its
 * queues, so they start in their second; the price is one small script per queue and look.
 *
 * States: forwarding <-> sleeping; `run` ends when its signal aborts. Stopping or dying in the middle is safe: each
 * move is one script. A queue that cannot be read is tried again with the next look and holds no other up.
 */
export class Forwarder {
  readonly #parts: ForwarderParts;
  readonly #throttle: LogThrottle;

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
    this.#throttle = new LogThrottle(parts.clock, parts.log);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#parts.queues.each((queue, ending) => this.#forwardQueue(queue, ending), signal);
  }

  async #forwardQueue(queue: string, signal: AbortSignal): Promise<void> {
    const { clock, longestSleep } = this.#parts;
    while (!signal.aborted) {
      const nextDue = await this.#forwardDue(queue);
      await clock.sleep(sleepUntil(nextDue, clock.now(), longestSleep), signal);
    }
  }

  /** Moves what is due; the next due score, if one is known. */
  async #forwardDue(queue: string): Promise<number | undefined> {
    try {
      const { moved, nextDue } = await this.#parts.broker.forward(queue);
      if (moved > 0) this.#parts.onMoved();
      return nextDue;
    } catch (err) {
      this.#throttle.error({ err, queue }, 'cannot forward due tasks');
      return undefined;
    }
  }
}

/** Milliseconds to sleep until `due` (whole Unix seconds), at most `longest`, never negative. */
export function sleepUntil(due: number | undefined, nowMs: number, longest: number): number {
  return due === undefined ? longest : Math.min(longest, Math.max(0, due * 1000 - nowMs));
}
