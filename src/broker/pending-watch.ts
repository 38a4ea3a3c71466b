import type { RedisRouter } from '../redis/router.ts';
import type { Clock } from '../runtime/clock.ts';
import { QueueKeys } from '../wire/keys.ts';
import { integer } from './replies.ts';
import { loadScript } from './scripts.ts';

const CLAIM_WAITER = loadScript('claim-waiter');

/** Servers that may wait for one queue, the whole fleet counted: every push wakes, and costs, each of them. */
const PLACES = 4;

/** A slot that moves to another master is noticed so late at most. */
const BLOCK_SECONDS = 5;

/** A place is kept through a wait, and some more: whoever is woken often does not claim it every time. */
const PLACE_MS = 15_000;

/** A place that ends sooner does not outlast the next wait. */
const CLAIM_BEFORE_END_MS = 7_000;

/** The answer may be late by so much before the connection is taken for dead. */
const LATE_MS = 2_000;

/**
 * Waits until a queue has pending tasks, without taking any: a move of the list's end onto itself, which blocks while
 * the list is empty, and which any push wakes, also one inside a script. The list stays as it was, so a waiter that dies
 * in the middle loses nothing.
 */
export class PendingWatch {
  readonly #router: RedisRouter;
  readonly #clock: Clock;
  /** Queue and waiter -> end of its place, monotonic. */
  readonly #places = new Map<string, number>();

  constructor(parts: { router: RedisRouter; clock: Clock }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
  }

  async wait(queue: string, waiter: string, signal: AbortSignal): Promise<'pending' | 'quiet' | 'crowded'> {
    const keys = new QueueKeys(queue);
    if (!(await this.#claim(keys, waiter))) return 'crowded';
    const args = [keys.pending, keys.pending, 'RIGHT', 'RIGHT', BLOCK_SECONDS];
    const timeout = BLOCK_SECONDS * 1000 + LATE_MS;
    const reply = await this.#router.block(keys.pending, 'BLMOVE', args, { timeout, signal });
    return reply === null ? 'quiet' : 'pending';
  }

  async #claim(keys: QueueKeys, waiter: string): Promise<boolean> {
    const place = `${waiter} ${keys.waiters}`;
    const now = this.#clock.monotonic();
    if ((this.#places.get(place) ?? 0) - now > CLAIM_BEFORE_END_MS) return true;
    const reply = await this.#router.run(CLAIM_WAITER, [keys.waiters], [waiter, PLACE_MS, PLACES]);
    const has = integer(CLAIM_WAITER, reply) === 1;
    if (has) this.#places.set(place, now + PLACE_MS);
    else this.#places.delete(place);
    return has;
  }
}
