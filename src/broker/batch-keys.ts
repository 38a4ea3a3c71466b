/**
 * KEYS of a script that works on several tasks: its fixed keys, the hash of each task, the locks of those that are unique.
 * All are declared, so that Redis refuses the script as a whole (TRYAGAIN) while some of them are on the move to another
 * node, and does not stop in its middle.
 */
export class BatchKeys {
  readonly #fixed: readonly string[];
  readonly #tasks: string[] = [];
  readonly #locks: string[] = [];
  readonly #count: number;

  constructor(fixed: readonly string[], count: number) {
    this.#fixed = fixed;
    this.#count = count;
  }

  /** Adds a task and its lock, if it is not blank; the index of the lock in KEYS, or 0. */
  add(task: string, lock: string): number {
    this.#tasks.push(task);
    if (lock === '') return 0;
    return this.#fixed.length + this.#count + this.#locks.push(lock);
  }

  all(): string[] {
    return [...this.#fixed, ...this.#tasks, ...this.#locks];
  }
}
