/** The workers of one queue, as the operator's status tells of them. */
export interface Workers {
  readonly desired: number;
  readonly ready: number;
  /** Most that were ready at once. */
  readonly peak: number;
}

const NONE: Workers = { desired: 0, ready: 0, peak: 0 };

/** Follows the workers of each queue from zero to their peak and back. */
export class WorkersWatch {
  readonly #workers = new Map<string, Workers>();
  /** Time of the first worker that was ready. */
  #firstReadyAt: number | undefined;

  seen(queue: string, desired: number, ready: number, now: number): void {
    if (ready > 0) this.#firstReadyAt ??= now;
    this.#workers.set(queue, { desired, ready, peak: Math.max(ready, this.of(queue).peak) });
  }

  of(queue: string): Workers {
    return this.#workers.get(queue) ?? NONE;
  }

  /** Whether there were workers, and are none any more. */
  isBackAtZero(queue: string): boolean {
    const { desired, ready, peak } = this.of(queue);
    return peak > 0 && desired === 0 && ready === 0;
  }

  get firstReadyAt(): number | undefined {
    return this.#firstReadyAt;
  }
}
