/** One side's measurement of one case. */
export interface Measurement {
  readonly tasksPerSecond: number;
  /** CPU time of the queue's master per task, microseconds. */
  readonly redisMicros: number;
}

export interface Pair {
  readonly ours: Measurement;
  readonly go: Measurement;
}

export interface CaseResult {
  readonly name: string;
  readonly pairs: readonly Pair[];
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
