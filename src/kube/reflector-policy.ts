import { type Backoff, exponentialMs } from '../runtime/backoff.ts';
import { isGone, isKubeError } from './kube-error.ts';

const BACKOFF: Backoff = { baseMs: 800, capMs: 30_000 };
/** A watch that lived less was no watch: what ends so soon would be opened again at once, for ever. */
export const FAILED_BELOW_MS = 1_000;

/** How one attempt of a reflector ended. */
export interface Ended {
  readonly phase: 'list' | 'watch';
  /** Since the watch was accepted; 0 when it was not. */
  readonly livedMs: number;
  /** undefined: the API server ended the watch in order. */
  readonly error: unknown;
}

export interface NextAttempt {
  /** Read everything again, or go on watching from where we are. */
  readonly relist: boolean;
  readonly delayMs: number;
  /** Failed attempts in a row, this one included. */
  readonly failures: number;
  readonly reason: 'closed' | 'gone' | 'unreachable' | 'silent' | 'refused' | 'time-travel' | 'error';
}

/** The API server told us a time before one that it told us before. */
export class TimeTravelError extends Error {}

/**
 * What a reflector does after an attempt: pure, `chance` is a number in [0, 1).
 *
 * Only what failed is answered with a delay, and every failure is, also 410: its causes hit all replicas at once, and
 * they should not all list at once. A watch that lived has earned a fresh start.
 */
export function nextAttempt(ended: Ended, failuresBefore: number, chance: number): NextAttempt {
  const lived = ended.livedMs >= FAILED_BELOW_MS;
  if (ended.error === undefined && lived) return { relist: false, delayMs: 0, failures: 0, reason: 'closed' };
  const failures = (lived ? 0 : failuresBefore) + 1;
  const retryAfterMs = isKubeError(ended.error) ? (ended.error.retryAfterMs ?? 0) : 0;
  return {
    relist: ended.phase === 'list' || isGone(ended.error) || ended.error instanceof TimeTravelError,
    delayMs: retryAfterMs + chance * exponentialMs(failures, BACKOFF),
    failures,
    reason: reasonOf(ended.error),
  };
}

function reasonOf(error: unknown): NextAttempt['reason'] {
  if (error === undefined) return 'closed';
  if (error instanceof TimeTravelError) return 'time-travel';
  if (!isKubeError(error)) return 'error';
  if (isGone(error)) return 'gone';
  if (error.code === 'ASYNQ_KUBE_TIMEOUT') return 'silent';
  return error.status === 0 ? 'unreachable' : 'refused';
}
