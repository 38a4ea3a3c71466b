import { inspect } from 'node:util';
import { AsynqError } from '../runtime/errors.ts';
import { checkQueueName } from '../wire/keys.ts';

/** The queues that a server works on, and their priorities. They may change while it runs: its parts follow. */
export class QueueSet {
  readonly #priorities = new Map<string, number>();
  readonly #followers = new Set<() => void>();

  constructor(queues: Readonly<Record<string, number>>) {
    for (const [name, priority] of Object.entries(queues)) this.#priorities.set(name, priority);
  }

  get priorities(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#priorities);
  }

  has(name: string): boolean {
    return this.#priorities.has(name);
  }

  /** Adds a queue, or gives it another priority. */
  set(name: string, priority: number): void {
    this.#priorities.set(name, priority);
    this.#changed();
  }

  /** False: it was not in. */
  delete(name: string): boolean {
    const was = this.#priorities.delete(name);
    if (was) this.#changed();
    return was;
  }

  /** Calls back after each change; returns how to end that. */
  follow(onChange: () => void): () => void {
    this.#followers.add(onChange);
    return () => this.#followers.delete(onChange);
  }

  /**
   * Does `work` for each queue, side by side: for those that are in, and for each that is added from then on. Its signal
   * aborts when the queue is removed, or when `signal` does; when all work has ended after that, this resolves. Work
   * that rejects ends it all.
   */
  async each(
    work: (queue: string, signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const ends = new Map<string, AbortController>();
    const working = new Set<Promise<void>>();
    const over = Promise.withResolvers<void>();
    const follow = () => {
      for (const [name, end] of ends) {
        if (this.has(name)) continue;
        ends.delete(name);
        end.abort();
      }
      for (const name of this.#priorities.keys()) {
        if (ends.has(name)) continue;
        const end = new AbortController();
        ends.set(name, end);
        const done = work(name, AbortSignal.any([signal, end.signal]))
          .catch(over.reject)
          .finally(() => working.delete(done));
        working.add(done);
      }
    };
    const unfollow = this.follow(follow);
    signal.addEventListener('abort', () => over.resolve(), { once: true });
    if (signal.aborted) over.resolve();
    else follow();
    try {
      await over.promise;
    } finally {
      unfollow();
      for (const end of ends.values()) end.abort();
    }
    await Promise.all(working);
  }

  #changed(): void {
    for (const follow of this.#followers) follow();
  }
}

/** @throws ASYNQ_CONFIG_INVALID, ASYNQ_QUEUE_NAME_INVALID */
export function checkQueue(name: string, priority: number): void {
  checkQueueName(name);
  if (Number.isSafeInteger(priority) && priority >= 1) return;
  throw new AsynqError(
    'ASYNQ_CONFIG_INVALID',
    `queue ${inspect(name)}: expected a priority that is a whole number from 1, got ${inspect(priority)}`,
  );
}
