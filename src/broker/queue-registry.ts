import type { RedisRouter } from '../redis/router.ts';
import type { Clock } from '../runtime/clock.ts';
import { QUEUES_KEY } from '../wire/keys.ts';

/** A queue that someone removed meanwhile is listed again after this long, milliseconds. */
const AGAIN_MS = 60_000;

/** Listing again failed: tried once more after this long, milliseconds. */
const AFTER_FAILURE_MS = 1_000;

/**
 * Sees to it that a queue is listed in `asynq:queues` before its first task is in it.
 *
 * The set lies in another slot than the queue, so this is a command of its own, and nothing that each enqueue could
 * afford. Go's client does it once in its life: when the queue is removed, its tasks are from then on in a queue that no
 * inspector knows. Only the first listing is waited for: the node that holds the set may be away for longer than the one
 * that holds the queue.
 */
export class QueueRegistry {
  readonly #router: Pick<RedisRouter, 'command'>;
  readonly #clock: Clock;
  /** Until when a queue counts as listed, monotonic milliseconds. */
  readonly #listed = new Map<string, number>();
  readonly #listing = new Map<string, Promise<void>>();

  constructor(parts: { router: Pick<RedisRouter, 'command'>; clock: Clock }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
  }

  /** Undefined when the queue is listed as far as we know, else the promise that it is. */
  ensure(queue: string): Promise<void> | undefined {
    const until = this.#listed.get(queue);
    if (until === undefined) return this.#listOnce(queue);
    if (this.#clock.monotonic() >= until) this.#listAgain(queue);
    return undefined;
  }

  #listAgain(queue: string): void {
    this.#listOnce(queue).catch(() => this.#listed.set(queue, this.#clock.monotonic() + AFTER_FAILURE_MS));
  }

  #listOnce(queue: string): Promise<void> {
    let listing = this.#listing.get(queue);
    if (listing === undefined) {
      listing = this.#list(queue).finally(() => this.#listing.delete(queue));
      this.#listing.set(queue, listing);
    }
    return listing;
  }

  async #list(queue: string): Promise<void> {
    await this.#router.command(QUEUES_KEY, 'SADD', [QUEUES_KEY, queue]);
    this.#listed.set(queue, this.#clock.monotonic() + AGAIN_MS);
  }
}
