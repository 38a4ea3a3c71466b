/** One thing that is measured on both sides; with handlers that do nothing, and 64 bytes of payload. */
export interface BenchCase {
  readonly name: string;
  readonly mode: 'drain' | 'enqueue';
  /** Of drain: the server's concurrency. Of enqueue: calls in flight (ours), goroutines (Go's). */
  readonly concurrency: number;
  readonly tasks: number;
}

export const PAYLOAD_BYTES = 64;

/** Enough tasks for a second or more of the faster side. */
export const CASES: readonly BenchCase[] = [
  { name: 'drain.c10', mode: 'drain', concurrency: 10, tasks: 20_000 },
  { name: 'drain.c100', mode: 'drain', concurrency: 100, tasks: 40_000 },
  { name: 'enqueue', mode: 'enqueue', concurrency: 20, tasks: 30_000 },
];
