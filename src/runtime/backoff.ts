import type { Random } from './random.ts';

export interface Backoff {
  /** After the first failure, milliseconds. */
  readonly baseMs: number;
  readonly capMs: number;
}

/** `base`, twice that, four times, ... up to the cap, for the 1st, 2nd, 3rd, ... failure in a row. */
export function exponentialMs(failures: number, { baseMs, capMs }: Backoff): number {
  return failures < 1 ? 0 : Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 50));
}

/** Anything from 0 to the exponential delay: many clients that failed together do not come back together. */
export function fullJitterMs(failures: number, backoff: Backoff, random: Random): number {
  return random() * exponentialMs(failures, backoff);
}
