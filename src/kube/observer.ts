import { errorText } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';

/**
 * Who wants to count what happens in here: metrics, mostly. Every method is called in passing, may be left out, and
 * cannot hurt: what it throws is logged once and dropped.
 */
export interface KubeObserver {
  /** One attempt of one request ended; `code` is the HTTP status or the error's code when there was no answer. */
  request?(event: { verb: string; path: string; code: number | string; durationMs: number }): void;
  /** A request waited for the client-side rate limit. */
  throttled?(event: { waitedMs: number }): void;
  reflectorState?(event: { resource: string; state: string }): void;
  listed?(event: { resource: string; items: number; durationMs: number }): void;
  /** The whole collection is read again, and why. */
  relisted?(event: { resource: string; reason: string }): void;
  watchEnded?(event: { resource: string; reason: string }): void;
  /** An event that was set aside: a replay of the past, or a line that is no event. */
  watchEventDropped?(event: { resource: string; reason: 'stale' | 'unreadable' }): void;
  queueAdded?(event: { queue: string; depth: number }): void;
  queueTaken?(event: { queue: string; depth: number; waitedMs: number }): void;
  queueDone?(event: { queue: string; workedMs: number }): void;
  queueRetried?(event: { queue: string }): void;
  reconciled?(event: { controller: string; result: ReconcileResult; durationMs: number }): void;
  leading?(event: { lease: string; leading: boolean }): void;
  eventDropped?(event: { reason: 'spam' | 'overflow' | 'refused' | 'failed' }): void;
}

export type ReconcileResult = 'success' | 'requeue_after' | 'conflict' | 'terminal' | 'error' | 'aborted';

/** `observer` with every method there and none that throws. */
export function guarded(observer: KubeObserver | undefined, log: Logger): Required<KubeObserver> {
  const failed = new Set<PropertyKey>();
  return new Proxy({} as Required<KubeObserver>, {
    get: (_, method) => (event: never) => {
      try {
        (observer as Record<PropertyKey, ((event: never) => void) | undefined> | undefined)?.[method]?.call(
          observer,
          event,
        );
      } catch (error) {
        if (failed.has(method)) return;
        failed.add(method);
        log.error({ err: error, observer: String(method) }, `an observer threw: ${errorText(error)}`);
      }
    },
  });
}
