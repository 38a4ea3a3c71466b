import type { QueueSnapshot } from '../broker/queue-reader.ts';
import type { AsynqQueueStatus } from './asynq-queue.ts';

/**
 * Whether somebody takes tasks of a queue without keeping to its limits: Go's servers, who know of none.
 *
 * Servers that keep to limits count the tasks that they start. Whatever they do, what is processed and what is active is
 * together no more than what they started, give or take what was before: each start adds one to both sides, the end of a
 * task takes it from active to processed, and all else (given back, retried without a failure) only lowers the left side. So
 * when it grows against the number of starts, somebody else has started tasks. All three figures are of one instant, and no
 * server needs to be asked what it is.
 */
export interface StartsWatch {
  readonly processed: number;
  readonly started: number;
  /** Tasks processed or active, less those that were started within the limits. */
  readonly surplus: number;
  /** When it last grew, Unix milliseconds. */
  readonly foreignAt: number | undefined;
}

/** Nobody else has started a task for so long, milliseconds: they are gone. */
const GONE_AFTER_MS = 60_000;

/** What is known after another reading; undefined: the queue has no limits. Counters that ran backwards start anew. */
export function watchStarts(
  before: StartsWatch | undefined,
  { limits, processed, size }: QueueSnapshot,
  now: number,
): StartsWatch | undefined {
  if (limits === undefined) return undefined;
  const { started } = limits;
  const surplus = processed + size.active - started;
  const isContinued = before !== undefined && processed >= before.processed && started >= before.started;
  const hasGrown = isContinued && surplus > before.surplus;
  return { processed, started, surplus, foreignAt: hasGrown ? now : before?.foreignAt };
}

/** What a restarted operator goes on from: foreign starts that the one before saw are believed for as long as new ones. */
export function recallForeign(status: AsynqQueueStatus | undefined, now: number): StartsWatch | undefined {
  const wereSeen = status?.conditions?.some(
    ({ type, reason }) => type === 'LimitsEnforced' && reason === 'ForeignWorkers',
  );
  if (wereSeen !== true) return undefined;
  return { processed: Number.POSITIVE_INFINITY, started: 0, surplus: 0, foreignAt: now };
}

export function hasForeignStarts(watch: StartsWatch | undefined, now: number): boolean {
  return watch?.foreignAt !== undefined && now - watch.foreignAt < GONE_AFTER_MS;
}
