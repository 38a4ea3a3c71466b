import type { IdleCost } from './idle-workers.ts';
import type { Latencies } from './latency.ts';

/** One side's measurement of one case. */
export interface Measurement {
  readonly tasksPerSecond: number;
  /** CPU time of the queue's master per task, microseconds. */
  readonly redisMicros: number;
  /** CPU time of the process per task, microseconds; of ours only. */
  readonly cpuMicros?: number;
}

export interface Pair {
  readonly ours: Measurement;
  readonly go: Measurement;
}

export interface CaseResult {
  readonly name: string;
  readonly pairs: readonly Pair[];
}

/** What only our side is measured in. */
export interface OwnResults {
  readonly pickUp: Latencies;
  /** The same steps with the bare driver. */
  readonly pickUpFloor: Latencies;
  readonly scheduled: Latencies;
  readonly openLoop: Latencies;
  readonly idle: { readonly one: IdleCost; readonly many: IdleCost };
}

/** The value below which a share `q` of the values lies, between neighbours by their distance. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Ours over Go's, pair by pair: what a drift of the machine leaves alone. */
export function rateRatios({ pairs }: CaseResult): number[] {
  return pairs.map(({ ours, go }) => ours.tasksPerSecond / go.tasksPerSecond);
}

export function redisRatios({ pairs }: CaseResult): number[] {
  return pairs.map(({ ours, go }) => ours.redisMicros / go.redisMicros);
}

/** Hundred workers over one. */
export function idleRatios({ one, many }: OwnResults['idle']): { redis: number; bytes: number } {
  return {
    redis: many.redisMicros / one.redisMicros,
    bytes: many.replicatedBytes / one.replicatedBytes,
  };
}

/** How many of the values lie below each bound, and not below the one before; the last is of those beyond all. */
export function histogram(values: readonly number[], bounds: readonly number[]): number[] {
  const counts = Array.from({ length: bounds.length + 1 }, () => 0);
  for (const value of values) {
    const at = bounds.findIndex((bound) => value < bound);
    const place = at === -1 ? bounds.length : at;
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts;
}
