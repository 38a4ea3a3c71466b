import { type QueueLimits, releaseQueueLimits, writeQueueLimits } from '../broker/queue-limits.ts';
import type { ObservedLimits } from '../broker/queue-reader.ts';
import type { Logger } from '../runtime/logger.ts';
import { type AsynqQueue, type AsynqQueueStatus, keyOf, queueName } from './asynq-queue.ts';
import type { QueueSource } from './ends.ts';
import type { Sight } from './queue-observer.ts';
import { WRITE_TIMEOUT_MS } from './write-timeout.ts';

export interface EnforcementParts {
  readonly source: Pick<QueueSource, 'event'>;
  /** Whether this process may (still) write to Redis. */
  readonly mayWrite: () => boolean;
  readonly log: Logger;
}

/**
 * `found`: they were as the spec says; `written`: they were not, and are now; `failed`: they could not be looked at or
 * written, and the next look tries again.
 */
export type Enforcement = 'found' | 'written' | 'failed';

/**
 * Brings the limits in Redis to what the spec says, against other hands and a flushed Redis too. Where the spec says nothing,
 * what an operator set is taken away, and what others set is left alone.
 *
 * `wereFound`: the same ones were found before, so that it was another hand which changed them. It is not enough that they
 * were written before: what was read may be older than that.
 */
export async function enforceLimits(
  queue: AsynqQueue,
  { reading, connection }: Sight & { kind: 'read' },
  wereFound: boolean,
  { source, mayWrite, log }: EnforcementParts,
): Promise<Enforcement> {
  if (reading.kind !== 'known') return 'failed';
  const { limits: found } = reading.snapshot;
  if (limitsStand(queue, found)) return 'found';
  if (connection === undefined || !mayWrite()) return 'failed';
  const { limits: declared } = queue.spec;
  const { router } = connection;
  const options = { timeout: WRITE_TIMEOUT_MS };
  try {
    if (declared === undefined) await releaseQueueLimits(router, queueName(queue), options);
    else await writeQueueLimits(router, queueName(queue), declared, 'operator', options);
  } catch (err) {
    log.warn({ err, queue: keyOf(queue) }, 'the limits could not be set, trying again');
    return 'failed';
  }
  if (declared !== undefined && wereFound) {
    const were = found === undefined ? 'gone' : `changed to ${limitsText(found)}`;
    const message = `the limits in Redis were ${were}; spec.limits: ${limitsText(declared)}`;
    source.event(queue, { type: 'Warning', reason: 'LimitsCorrected', action: 'Limit', message });
  }
  return 'written';
}

/** The generation of the spec whose limits an operator before this one has enforced. */
export function enforcedGeneration(status: AsynqQueueStatus | undefined): number | undefined {
  const condition = status?.conditions?.find(({ type }) => type === 'LimitsEnforced');
  const wereEnforced = condition?.reason === 'Enforced' || condition?.reason === 'ForeignWorkers';
  return wereEnforced ? condition.observedGeneration : undefined;
}

/** Whether the limits in Redis are those that the spec asks for, and known to be an operator's. */
export function limitsStand({ spec: { limits } }: AsynqQueue, found: ObservedLimits | undefined): boolean {
  if (limits === undefined) return found?.owner !== 'operator';
  return (
    found?.owner === 'operator' &&
    found.concurrency === limits.concurrency &&
    found.ratePerSecond === limits.ratePerSecond
  );
}

export function limitsText({ concurrency, ratePerSecond }: QueueLimits): string {
  return [
    ...(concurrency === undefined ? [] : [`${concurrency} active`]),
    ...(ratePerSecond === undefined ? [] : [`${ratePerSecond} started per second`]),
  ].join(', ');
}
