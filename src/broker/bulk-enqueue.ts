import type { BatchLimits } from './batching.ts';
import type { Enqueueing } from './broker.ts';
import { callKey, type EnqueueCalls, type NewTask, newTask } from './enqueue-calls.ts';
import type { QueueRegistry } from './queue-registry.ts';

/** Enough to keep a Redis at work while its answers are on their way. */
const MAX_CALLS = 8;

interface Batch {
  readonly items: [NewTask, ...NewTask[]];
  /** Which of all tasks each is. */
  readonly indexes: number[];
  bytes: number;
}

export interface BulkEnqueueParts {
  readonly calls: Pick<EnqueueCalls, 'run'>;
  readonly registry: Pick<QueueRegistry, 'ensure'>;
  readonly limits: BatchLimits<NewTask>;
}

/**
 * One enqueue of many tasks: as `Batcher`, but with one promise for all, since those of single tasks cost more than
 * everything else that is done for them.
 *
 * Only so many calls are on their way at once: the first tasks are in Redis before the last are read. Messages are held
 * of those calls, and of one batch of each queue and kind; of every other task, its outcome. Tasks of one queue and kind
 * stay in order.
 */
export class BulkEnqueue {
  readonly #parts: BulkEnqueueParts;
  readonly #open = new Map<string, Batch>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #outcomes: unknown[] = [];

  constructor(parts: BulkEnqueueParts) {
    this.#parts = parts;
  }

  /** Of each task why it is not in, or undefined. Rejects only with what `tasks` throws, when those before are done. */
  async run(tasks: Iterable<Enqueueing>): Promise<unknown[]> {
    try {
      for (const task of tasks) {
        const full = this.#add(task);
        if (full !== undefined) await this.#send(full);
      }
    } finally {
      for (const batch of this.#open.values()) await this.#send(batch);
      await Promise.all(this.#underWay);
    }
    return this.#outcomes;
  }

  /** The batch that it made full. */
  #add(task: Enqueueing): Batch | undefined {
    const index = this.#outcomes.push(undefined) - 1;
    try {
      const key = callKey(task);
      const batch = this.#join(key, newTask(task), index);
      const { maxItems, maxBytes } = this.#parts.limits;
      if (batch.items.length < maxItems && batch.bytes < maxBytes) return undefined;
      this.#open.delete(key);
      return batch;
    } catch (error) {
      this.#outcomes[index] = error;
      return undefined;
    }
  }

  #join(key: string, item: NewTask, index: number): Batch {
    const bytes = this.#parts.limits.bytesOf(item);
    const open = this.#open.get(key);
    if (open === undefined) {
      const batch: Batch = { items: [item], indexes: [index], bytes };
      this.#open.set(key, batch);
      return batch;
    }
    open.items.push(item);
    open.indexes.push(index);
    open.bytes += bytes;
    return open;
  }

  /** Resolves when another may be sent. */
  async #send(batch: Batch): Promise<void> {
    const call = this.#call(batch).finally(() => this.#underWay.delete(call));
    this.#underWay.add(call);
    if (this.#underWay.size >= MAX_CALLS) await Promise.race(this.#underWay);
  }

  async #call({ items, indexes }: Batch): Promise<void> {
    const set = (at: number, outcome: unknown) => {
      const index = indexes[at];
      if (index !== undefined) this.#outcomes[index] = outcome;
    };
    try {
      const listing = this.#parts.registry.ensure(items[0].task.message.queue);
      if (listing !== undefined) await listing;
      const outcomes = await this.#parts.calls.run(items);
      for (const [at, outcome] of outcomes.entries()) set(at, outcome);
    } catch (error) {
      for (const at of indexes.keys()) set(at, error);
    }
  }
}
