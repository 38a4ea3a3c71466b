/** Handlers that take less on average, milliseconds, wait longer for their next task than they work on it. */
const SHORT_MS = 1;

/** Tasks in hand that make a round trip worth its while. */
const WORTHWHILE = 64;

/** How much one more handler moves the average. */
const WEIGHT = 1 / 32;

/** Where the average starts, and where a stall puts it: some two hundred short handlers away from short. */
const UNKNOWN_MS = 1_000;

/**
 * How many tasks to hold beyond those that are worked on. None, unless handlers are so short that fetching their tasks
 * costs more than running them; then as many as make the fetch cheap. The price: these tasks are with this server and no
 * other for the moment that the ones before them take, and if the server dies they are recovered like running ones.
 */
export class Prefetch {
  readonly #most: number;
  #averageMs = UNKNOWN_MS;

  constructor(concurrency: number) {
    this.#most = Math.max(0, WORTHWHILE - concurrency);
  }

  get tasks(): number {
    return this.#averageMs < SHORT_MS ? this.#most : 0;
  }

  /** A handler took so long. */
  handled(ms: number): void {
    this.#averageMs += (ms - this.#averageMs) * WEIGHT;
  }

  /** Tasks lay in hand and nothing moved: what was held to be short is not. */
  stalled(): void {
    this.#averageMs = UNKNOWN_MS;
  }
}
