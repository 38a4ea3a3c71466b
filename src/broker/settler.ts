import type { RedisRouter } from '../redis/router.ts';
import type { Clock } from '../runtime/clock.ts';
import { Batcher, type NonEmpty } from './batching.ts';
import type { LeasedTask, Settlement } from './broker.ts';
import { integers } from './replies.ts';
import { type SettleItem, settleCall, settleItem } from './settle-calls.ts';

/** One script call holds up its Redis for less than a millisecond, and no buffer grows without bound. */
const MAX_ITEMS = 64;
const MAX_BYTES = 1 << 20;

const CALL_TIMEOUT_MS = 10_000;

/**
 * Writes what becomes of leased tasks: those of one turn of the event loop, queue and kind with one script call, in
 * which each is settled, or found to be no longer ours, on its own.
 *
 * Nothing is sent for a lease that has ended, nor sent again after its end: the task may be another's by then.
 */
export class Settler {
  readonly #router: RedisRouter;
  readonly #clock: Clock;
  readonly #batcher: Batcher<SettleItem, number>;

  constructor(parts: { router: RedisRouter; clock: Clock }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
    this.#batcher = new Batcher<SettleItem, number>({
      run: (items) => this.#run(items),
      maxItems: MAX_ITEMS,
      maxBytes: MAX_BYTES,
      bytesOf: ({ bytes }) => bytes,
    });
  }

  async settle(task: LeasedTask, settlement: Settlement): Promise<boolean> {
    const now = this.#clock.now();
    if (task.leaseExpiresAt <= now) return false;
    const item = settleItem(task, settlement, now);
    return (await this.#batcher.add(`${item.kind} ${task.queue}`, item)) === 1;
  }

  async #run(items: NonEmpty<SettleItem>): Promise<readonly number[]> {
    const now = this.#clock.now();
    const { script, keys, args } = settleCall(items, now);
    const end = Math.min(...items.map(({ task }) => task.leaseExpiresAt));
    const timeout = Math.max(1, Math.min(CALL_TIMEOUT_MS, end - now));
    const reply = await this.#router.run(script, keys, args(0), { timeout, argsWhenResent: () => args(1) });
    return integers(script, reply, items.length);
  }
}
