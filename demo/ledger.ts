/** What became of the tasks of one queue. */
export interface Account {
  readonly enqueued: number;
  /** Tasks that a handler finished. */
  readonly processed: number;
  /** Times that a handler finished a task that was finished before, or that nobody enqueued. */
  readonly surplus: number;
}

/** Every task that was enqueued and every run of a handler, by id: whether each was processed, and once. */
export class Ledger {
  readonly #enqueued = new Map<string, Set<string>>();
  readonly #runs = new Map<string, Map<string, number>>();

  enqueued(queue: string, id: string): void {
    of(this.#enqueued, queue, () => new Set()).add(id);
  }

  handled(queue: string, id: string): void {
    const runs = of(this.#runs, queue, () => new Map<string, number>());
    runs.set(id, (runs.get(id) ?? 0) + 1);
  }

  account(queue: string): Account {
    const ids = this.#enqueued.get(queue) ?? new Set();
    const runs = this.#runs.get(queue) ?? new Map<string, number>();
    const processed = [...ids].filter((id) => runs.has(id)).length;
    const allRuns = [...runs.values()].reduce((sum, count) => sum + count, 0);
    return { enqueued: ids.size, processed, surplus: allRuns - processed };
  }
}

function of<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
