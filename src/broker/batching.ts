import { nextTick } from 'node:process';

export type NonEmpty<T> = readonly [T, ...T[]];

export interface BatchLimits<Item> {
  readonly maxItems: number;
  /** A batch is closed when it holds this much; one item may be more. */
  readonly maxBytes: number;
  readonly bytesOf: (item: Item) => number;
}

export interface BatcherParts<Item, Result> extends BatchLimits<Item> {
  /** Does all items of one batch; brings a result for each, in order. */
  readonly run: (items: NonEmpty<Item>) => Promise<readonly Result[]>;
}

interface Caller<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch<Item, Result> {
  readonly items: [Item, ...Item[]];
  readonly callers: Caller<Result>[];
  bytes: number;
}

/**
 * Does together what is asked for singly: the items that come for one key in one turn of the event loop are one call,
 * and each caller gets the result of its own. An item waits for nothing but the end of the turn, so that a lone one is
 * as fast as before; a batch that is full leaves at once, since one script holds up all others of its Redis.
 */
export class Batcher<Item, Result> {
  readonly #parts: BatcherParts<Item, Result>;
  readonly #open = new Map<string, Batch<Item, Result>>();

  constructor(parts: BatcherParts<Item, Result>) {
    this.#parts = parts;
  }

  add(key: string, item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      const { maxItems, maxBytes, bytesOf } = this.#parts;
      const batch = this.#join(key, item);
      batch.callers.push({ resolve, reject });
      batch.bytes += bytesOf(item);
      if (batch.items.length < maxItems && batch.bytes < maxBytes) return;
      this.#open.delete(key);
      void this.#run(batch);
    });
  }

  #join(key: string, item: Item): Batch<Item, Result> {
    const open = this.#open.get(key);
    if (open !== undefined) {
      open.items.push(item);
      return open;
    }
    // Not a microtask: what one reply sets free comes in over several of those.
    if (this.#open.size === 0) nextTick(() => this.#flush());
    const batch: Batch<Item, Result> = { items: [item], callers: [], bytes: 0 };
    this.#open.set(key, batch);
    return batch;
  }

  #flush(): void {
    const batches = [...this.#open.values()];
    this.#open.clear();
    for (const batch of batches) void this.#run(batch);
  }

  async #run({ items, callers }: Batch<Item, Result>): Promise<void> {
    try {
      const results = await this.#parts.run(items);
      for (const [index, caller] of callers.entries()) caller.resolve(results[index] as Result);
    } catch (error) {
      for (const caller of callers) caller.reject(error);
    }
  }
}
