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
 * Nothing is sent for a lease that has ended, nor sent again after its end: the task may be another's by then. A call
 * that failed may have been done: what is settled once more is settled with the same message, by which the script knows
 * its own work.
 */
export class Settler {
  readonly #router: Pick<RedisRouter, 'run'>;
  readonly #clock: Clock;
  readonly #batcher: Batcher<SettleItem, number>;
  /** Sent without an answer. */
  readonly #unanswered = new WeakMap<LeasedTask, { settlement: Settlement; item: SettleItem }>();

  constructor(parts: { router: Pick<RedisRouter, 'run'>; clock: Clock }) {
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
    const before = this.#unanswered.get(task);
    const item = before?.settlement === settlement ? before.item : settleItem(task, settlement, now);
    const mayHaveRun = before !== undefined;
    try {
      return (await this.#batcher.add(`${item.kind} ${mayHaveRun} ${task.queue}`, item)) === 1;
    } catch (error) {
      this.#unanswered.set(task, { settlement, item });
      throw error;
    }
  }

  async #run(items: NonEmpty<SettleItem>): Promise<readonly number[]> {
    const now = this.#clock.now();
    const { script, keys, args } = settleCall(items, now);
    const end = Math.min(...items.map(({ task }) => task.leaseExpiresAt));
    const timeout = Math.max(1, Math.min(CALL_TIMEOUT_MS, end - now));
    const mayHaveRun = this.#unanswered.has(items[0].task) ? 1 : 0;
    const reply = await this.#router.run(script, keys, args(mayHaveRun), {
      timeout,
      argsWhenResent: () => args(1),
    });
    return integers(script, reply, items.length);
  }
}
