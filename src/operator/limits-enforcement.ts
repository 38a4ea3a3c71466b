import { type QueueLimits, releaseQueueLimits, writeQueueLimits } from '../broker/queue-limits.ts';
import type { ObservedLimits } from '../broker/queue-reader.ts';
import type { Logger } from '../runtime/logger.ts';
import { type AsynqQueue, keyOf, queueName } from './asynq-queue.ts';
import type { QueueSource } from './ends.ts';
import type { Sight } from './queue-observer.ts';
import { WRITE_TIMEOUT_MS } from './write-timeout.ts';

export interface EnforcementParts {
  readonly source: Pick<QueueSource, 'event'>;
  /** Whether this process may (still) write to Redis. */
  readonly mayWrite: () => boolean;
  readonly log: Logger;
}

/** The limits that were last found in Redis, under this generation of the spec. */
export interface LimitsSeen {
  readonly generation: number;
  readonly found: ObservedLimits | undefined;
}

export interface Enforcement {
  /** The limits in Redis are now as the spec says. */
  readonly stand: boolean;
  readonly seen: LimitsSeen | undefined;
}

/**
 * Brings the limits in Redis to what the spec says, against other hands and a flushed Redis too. Where the spec says nothing,
 * what an operator set is taken away, and what others set is left alone.
 *
 * People are told of a correction when the limits changed since the last look: one that finds them as the last one did may
 * be older than what was written after that.
 */
export async function enforceLimits(
  queue: AsynqQueue,
  { reading, connection }: Sight & { kind: 'read' },
  seen: LimitsSeen | undefined,
  { source, mayWrite, log }: EnforcementParts,
): Promise<Enforcement> {
  if (reading.kind !== 'known') return { stand: false, seen };
  const { limits: found } = reading.snapshot;
  const { generation } = queue.metadata;
  const done = { stand: true, seen: { generation, found } };
  if (limitsStand(queue, found)) return done;
  if (connection === undefined || !mayWrite()) return { stand: false, seen };
  const { limits: declared } = queue.spec;
  const { router } = connection;
  const options = { timeout: WRITE_TIMEOUT_MS };
  try {
    if (declared === undefined) await releaseQueueLimits(router, queueName(queue), options);
    else await writeQueueLimits(router, queueName(queue), declared, 'operator', options);
  } catch (err) {
    log.warn({ err, queue: keyOf(queue) }, 'the limits could not be set, trying again');
    return { stand: false, seen };
  }
  if (declared !== undefined && seen?.generation === generation && !isSame(found, seen.found)) {
    const were = found === undefined ? 'gone' : `changed to ${limitsText(found)}`;
    const message = `the limits in Redis were ${were}; spec.limits: ${limitsText(declared)}`;
    source.event(queue, { type: 'Warning', reason: 'LimitsCorrected', action: 'Limit', message });
  }
  return done;
}

/** What a restarted operator goes on from: limits that the one before enforced were there. */
export function recallLimits({ spec, status }: AsynqQueue): LimitsSeen | undefined {
  const condition = status?.conditions?.find(({ type }) => type === 'LimitsEnforced');
  if (condition?.reason !== 'Enforced' && condition?.reason !== 'ForeignWorkers') return undefined;
  return {
    generation: condition.observedGeneration,
    found: spec.limits && { ...spec.limits, owner: 'operator', started: 0 },
  };
}

/** Whether the limits in Redis are those that the spec asks for, and known to be an operator's. */
export function limitsStand({ spec: { limits } }: AsynqQueue, found: ObservedLimits | undefined): boolean {
  if (limits === undefined) return found?.owner !== 'operator';
  return isSame(found, { ...limits, owner: 'operator' });
}

function isSame(
  a: Omit<ObservedLimits, 'started'> | undefined,
  b: Omit<ObservedLimits, 'started'> | undefined,
): boolean {
  return a?.owner === b?.owner && a?.concurrency === b?.concurrency && a?.ratePerSecond === b?.ratePerSecond;
}

export function limitsText({ concurrency, ratePerSecond }: QueueLimits): string {
  return [
    ...(concurrency === undefined ? [] : [`${concurrency} active`]),
    ...(ratePerSecond === undefined ? [] : [`${ratePerSecond} started per second`]),
  ].join(', ');
}
