import type { Broker } from '../broker/broker.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorText } from '../runtime/errors.ts';
import { aborted } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import type { QueueSet } from './queue-set.ts';

/** Connections that one server may keep blocked; its other queues are polled. */
const MOST_QUEUES = 8;

/** When waiting is not to be had (enough others wait, Redis is away or forbids it), it is tried again after this. */
const TRY_AGAIN_MS = 5_000;

export interface WaiterParts {
  readonly broker: Pick<Broker, 'awaitPending'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly queues: Pick<QueueSet, 'has'>;
  /** Names this server among those that wait. */
  readonly waiter: string;
  /** A queue has pending tasks. */
  readonly onPending: () => void;
}

/**
 * Tells an idle server at once when a queue that it found empty has tasks: a poll alone leaves them lying for half its
 * interval. It only ever shortens the wait for the next poll, so nothing depends on it but speed.
 *
 * A queue's states: ignored -> waiting (from `watch` on, over and over) -> ignored, when tasks are there or it cannot be
 * waited for now. All end when `run`'s signal aborts.
 */
export class Waiter {
  readonly #parts: WaiterParts;
  readonly #waiting = new Map<string, Promise<void>>();
  /** Not to be waited for before, monotonic. */
  readonly #after = new Map<string, number>();
  #signal: AbortSignal | undefined;

  constructor(parts: WaiterParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    await aborted(signal);
    await Promise.all(this.#waiting.values());
  }

  /** The queue was found empty. */
  watch(queue: string): void {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted || this.#waiting.has(queue)) return;
    if (this.#waiting.size >= MOST_QUEUES) return;
    if ((this.#after.get(queue) ?? 0) > this.#parts.clock.monotonic()) return;
    this.#waiting.set(
      queue,
      this.#wait(queue, signal).finally(() => this.#waiting.delete(queue)),
    );
  }

  async #wait(queue: string, signal: AbortSignal): Promise<void> {
    const { broker, clock, log, queues, waiter, onPending } = this.#parts;
    try {
      let seen = await broker.awaitPending(queue, waiter, signal);
      while (seen === 'quiet' && queues.has(queue) && !signal.aborted)
        seen = await broker.awaitPending(queue, waiter, signal);
      if (seen === 'pending') return onPending();
    } catch (error) {
      if (signal.aborted) return;
      log.debug({ queue, error: errorText(error) }, 'cannot wait for tasks: polling');
    }
    this.#after.set(queue, clock.monotonic() + TRY_AGAIN_MS);
  }
}
