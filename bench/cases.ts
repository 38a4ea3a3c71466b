/** Something that is measured on both sides; handlers do nothing. */
export interface BenchCase {
  readonly name: string;
  /** `enqueue-many`: ours with `enqueueMany`, Go's with as many goroutines as `enqueue`. */
  readonly mode: 'drain' | 'enqueue' | 'enqueue-many';
  /** Of drain: the server's concurrency. Of enqueue: calls in flight (ours), goroutines (Go's). */
  readonly concurrency: number;
  readonly tasks: number;
  readonly payloadBytes: number;
  /** No more pairs than this. */
  readonly mostPairs?: number;
}

/** Enough tasks for a second or more of the faster side. */
export const CASES: readonly BenchCase[] = [
  { name: 'drain.c10', mode: 'drain', concurrency: 10, tasks: 20_000, payloadBytes: 64 },
  { name: 'drain.c100', mode: 'drain', concurrency: 100, tasks: 40_000, payloadBytes: 64 },
  { name: 'enqueue', mode: 'enqueue', concurrency: 20, tasks: 30_000, payloadBytes: 64 },
  { name: 'enqueueMany', mode: 'enqueue-many', concurrency: 20, tasks: 40_000, payloadBytes: 64 },
  ...larger('1kB', 1_024, 10_000),
  ...larger('16kB', 16_384, 3_000),
];

function larger(name: string, payloadBytes: number, tasks: number): BenchCase[] {
  const size = { tasks, payloadBytes, mostPairs: 3 };
  return [
    { name: `drain.c100.${name}`, mode: 'drain', concurrency: 100, ...size },
    { name: `enqueueMany.${name}`, mode: 'enqueue-many', concurrency: 20, ...size },
  ];
}

/** Tasks of what only our side is measured in. */
export const TASKS = { pickUp: 200, scheduled: 100, openLoop: 3_000, idleWorkers: 400 } as const;

export const OPEN_LOOP_PER_SECOND = 1_000;

export const IDLE_WORKERS = 100;
