import type { Clock } from '../runtime/clock.ts';

/** Something that is over at a time; `heapIndex` is the heap's own, -1 while it is in none. */
export interface Timed {
  /** Unix milliseconds. */
  readonly dueAt: number;
  heapIndex: number;
}

/** The wall clock may be set: look at it at least this often. */
const LONGEST_SLEEP_MS = 60_000;

/**
 * Calls back when deadlines pass: one heap and one timer for all of them, because a timer per task is what a server of
 * many short tasks would spend its time on. A task that ends takes its entry along; the timer stays and finds out when
 * it fires, so tasks that end in time cost no timer at all.
 *
 * States: unarmed -> armed for the earliest deadline (or a minute) -> unarmed when it fires; stopped.
 */
export class Deadlines<T extends Timed> {
  readonly #clock: Clock;
  readonly #onPassed: (item: T) => void;
  readonly #heap: T[] = [];
  #armedFor = Number.POSITIVE_INFINITY;
  #timer: AbortController | undefined;
  #stopped = false;

  constructor(clock: Clock, onPassed: (item: T) => void) {
    this.#clock = clock;
    this.#onPassed = onPassed;
  }

  add(item: T): void {
    this.#heap.push(item);
    this.#siftUp(item, this.#heap.length - 1);
    if (item.dueAt < this.#armedFor) this.#arm();
  }

  /** Harmless for an item that is not in. */
  remove(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === item) return;
    this.#siftUp(last, index);
    this.#siftDown(last, last.heapIndex);
  }

  stop(): void {
    this.#stopped = true;
    this.#disarm();
  }

  #arm(): void {
    const next = this.#heap[0];
    this.#disarm();
    if (next === undefined || this.#stopped) return;
    const now = this.#clock.now();
    const ms = Math.min(Math.max(0, next.dueAt - now), LONGEST_SLEEP_MS);
    const timer = new AbortController();
    this.#timer = timer;
    this.#armedFor = now + ms;
    void this.#fireAfter(ms, timer.signal);
  }

  #disarm(): void {
    this.#timer?.abort();
    this.#timer = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  async #fireAfter(ms: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(ms, signal);
    if (signal.aborted) return;
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first !== undefined && first.dueAt <= now; first = this.#heap[0]) {
      this.remove(first);
      this.#onPassed(first);
    }
    this.#arm();
  }

  #siftUp(item: T, from: number): void {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#heap[parentIndex];
      if (parent === undefined || parent.dueAt <= item.dueAt) break;
      this.#put(parent, index);
      index = parentIndex;
    }
    this.#put(item, index);
  }

  #siftDown(item: T, from: number): void {
    let index = from;
    for (;;) {
      const child = this.#earlierChild(index);
      if (child === undefined || item.dueAt <= child.dueAt) break;
      const childIndex = child.heapIndex;
      this.#put(child, index);
      index = childIndex;
    }
    this.#put(item, index);
  }

  #earlierChild(index: number): T | undefined {
    const left = this.#heap[2 * index + 1];
    const right = this.#heap[2 * index + 2];
    return right !== undefined && left !== undefined && right.dueAt < left.dueAt ? right : left;
  }

  #put(item: T, index: number): void {
    this.#heap[index] = item;
    item.heapIndex = index;
  }
}
