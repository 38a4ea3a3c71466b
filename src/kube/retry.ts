import { type Backoff, fullJitterMs } from '../runtime/backoff.ts';
import type { Random } from '../runtime/random.ts';
import { isKubeError } from './kube-error.ts';

const RETRY: Backoff & { readonly attempts: number } = { attempts: 4, baseMs: 200, capMs: 3_000 };

/** Errors that come before a byte of the request was sent: it cannot have had an effect. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Milliseconds until a failed request may be sent again; undefined: it may not. `attempt` counts from 1.
 *
 * What may have had its effect is repeated only when a second effect changes nothing (`idempotent`). 429 is safe for
 * all: the API server turned the request away before looking at it.
 */
export function retryDelayMs(
  error: unknown,
  request: { readonly idempotent: boolean },
  attempt: number,
  random: Random,
): number | undefined {
  if (attempt >= RETRY.attempts || !isKubeError(error)) return undefined;
  const may =
    error.status === 429 || notSent(error) || (request.idempotent && isPassing(error.status, error.code));
  if (!may) return undefined;
  return (error.retryAfterMs ?? 0) + fullJitterMs(attempt, RETRY, random);
}

function isPassing(status: number, code: string): boolean {
  return status >= 500 ? status !== 501 : code === 'ASYNQ_KUBE_UNREACHABLE' || code === 'ASYNQ_KUBE_ANSWER';
}

function notSent(error: { readonly cause?: unknown }): boolean {
  const { cause } = error;
  return cause instanceof Error && 'code' in cause && NOT_SENT.has(String(cause.code));
}
