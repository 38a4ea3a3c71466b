/**
 * KEYS of a script that works on several tasks: its fixed keys, the hash of each task, the locks and claims of
 * some. All are declared, so that Redis refuses the script as a whole (TRYAGAIN) while some of them are on the move to
 * another node, and does not stop it in its middle.
 */
export class BatchKeys {
  readonly #fixed: readonly string[];
  readonly #tasks: string[] = [];
  readonly #locks: string[] = [];

  constructor(fixed: readonly string[]) {
    this.#fixed = fixed;
  }

  /** Adds a task; its number, from 1. */
  add(task: string): number {
    return this.#tasks.push(task);
  }

  addLock(lock: string): void {
    this.#locks.push(lock);
  }

  all(): string[] {
    return [...this.#fixed, ...this.#tasks, ...this.#locks];
  }
}
