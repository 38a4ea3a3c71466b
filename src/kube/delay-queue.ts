import type { Clock } from '../runtime/clock.ts';

interface Delayed {
  readonly key: string;
  /** Monotonic milliseconds. */
  readonly dueAt: number;
}

/** Keys that come due later, each once: of two times the earlier wins. One sleeper, whatever the number of keys. */
export class DelayQueue {
  readonly #clock: Clock;
  readonly #due: (key: string) => void;
  readonly #byKey = new Map<string, Delayed>();
  /** A binary heap; entries that are no longer in `#byKey` are skipped when they surface. */
  #heap: Delayed[] = [];
  #sleep: { readonly until: number; readonly abort: AbortController } | undefined;

  constructor(clock: Clock, due: (key: string) => void) {
    this.#clock = clock;
    this.#due = due;
  }

  get size(): number {
    return this.#byKey.size;
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  add(key: string, delayMs: number): void {
    const entry = { key, dueAt: this.#clock.monotonic() + delayMs };
    const known = this.#byKey.get(key);
    if (known !== undefined && known.dueAt <= entry.dueAt) return;
    this.#byKey.set(key, entry);
    this.#push(entry);
    this.#sleepUntilFirst();
  }

  delete(key: string): void {
    this.#byKey.delete(key);
  }

  clear(): void {
    this.#byKey.clear();
    this.#heap = [];
    this.#sleep?.abort.abort();
    this.#sleep = undefined;
  }

  #sleepUntilFirst(): void {
    const first = this.#first();
    if (first === undefined || (this.#sleep !== undefined && this.#sleep.until <= first.dueAt)) return;
    this.#sleep?.abort.abort();
    const abort = new AbortController();
    this.#sleep = { until: first.dueAt, abort };
    void this.#releaseAt(first.dueAt, abort.signal);
  }

  async #releaseAt(dueAt: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(dueAt - this.#clock.monotonic(), signal);
    if (signal.aborted) return;
    this.#sleep = undefined;
    this.#release();
    this.#sleepUntilFirst();
  }

  #release(): void {
    const now = this.#clock.monotonic();
    for (let first = this.#first(); first !== undefined && first.dueAt <= now; first = this.#first()) {
      this.#pop();
      this.#byKey.delete(first.key);
      this.#due(first.key);
    }
  }

  #first(): Delayed | undefined {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (this.#byKey.get(top.key) === top) return top;
      this.#pop();
    }
    return undefined;
  }

  #push(entry: Delayed): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (timeAt(heap, parent) <= entry.dueAt) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const least = timeAt(heap, left + 1) < timeAt(heap, left) ? left + 1 : left;
      if (timeAt(heap, least) >= last.dueAt) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    [heap[a], heap[b]] = [heap[b] as Delayed, heap[a] as Delayed];
  }
}

/** Past the end: never. */
function timeAt(heap: readonly Delayed[], at: number): number {
  return heap[at]?.dueAt ?? Number.POSITIVE_INFINITY;
}
