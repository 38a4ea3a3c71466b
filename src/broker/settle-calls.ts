import type { RedisArg, Script } from '../redis/router.ts';
import { unixSeconds } from '../runtime/clock.ts';
import { QueueKeys } from '../wire/keys.ts';
import { ARCHIVED_EXPIRATION_DAYS, MAX_ARCHIVE_SIZE, STATS_TTL_SECONDS } from '../wire/limits.ts';
import { encodeTaskMessage } from '../wire/task-message.ts';
import { BatchKeys } from './batch-keys.ts';
import type { NonEmpty } from './batching.ts';
import type { LeasedTask, Settlement } from './broker.ts';
import { loadScript } from './scripts.ts';
import { unixNanoseconds } from './unix-nanoseconds.ts';

export type SettleKind = 'done' | 'complete' | 'retry' | 'archive' | 'requeue';

/** One task for a settle script. */
export interface SettleItem {
  readonly kind: SettleKind;
  readonly task: LeasedTask;
  /** What the script wants to know of this task. */
  readonly args: readonly RedisArg[];
  readonly bytes: number;
}

/** A settle script, and the part of its KEYS and ARGV that its tasks share. */
interface SettleScript {
  readonly script: Script;
  readonly keys: (queue: QueueKeys, nowMs: number) => string[];
  readonly args: (queue: QueueKeys, nowMs: number) => RedisArg[];
  /** It frees the locks of unique tasks: it wants the number of tasks, and at the end those of the tasks with a lock. */
  readonly frees: boolean;
}

const SCRIPTS: Readonly<Record<SettleKind, SettleScript>> = {
  done: {
    script: loadScript('done'),
    keys: (queue, now) => [queue.active, queue.lease, queue.processedOn(now), queue.processed],
    args: (queue, now) => [queue.taskPrefix, endOfCounters(now)],
    frees: true,
  },
  complete: {
    script: loadScript('complete'),
    keys: (queue, now) => [
      queue.active,
      queue.lease,
      queue.completed,
      queue.processedOn(now),
      queue.processed,
    ],
    args: (queue, now) => [queue.taskPrefix, endOfCounters(now)],
    frees: true,
  },
  retry: {
    script: loadScript('retry'),
    keys: (queue, now) => [queue.active, queue.lease, queue.retry, ...countersOfFailure(queue, now)],
    args: (queue, now) => [queue.taskPrefix, endOfCounters(now)],
    frees: false,
  },
  archive: {
    script: loadScript('archive'),
    keys: (queue, now) => [queue.active, queue.lease, queue.archived, ...countersOfFailure(queue, now)],
    args: (queue, now) => {
      const seconds = unixSeconds(now);
      const oldest = seconds - ARCHIVED_EXPIRATION_DAYS * 24 * 3600;
      return [queue.taskPrefix, endOfCounters(now), seconds, oldest, MAX_ARCHIVE_SIZE - 1];
    },
    frees: false,
  },
  requeue: {
    script: loadScript('requeue'),
    keys: (queue) => [queue.active, queue.lease, queue.pending],
    args: (queue, now) => [queue.taskPrefix, unixNanoseconds(now)],
    frees: false,
  },
};

/** What a settlement writes, with the message as it will be. */
export function settleItem(task: LeasedTask, settlement: Settlement, nowMs: number): SettleItem {
  const { message } = task;
  const now = unixSeconds(nowMs);
  switch (settlement.kind) {
    case 'revoke':
      return { kind: 'done', task, args: [], bytes: 0 };
    case 'requeue':
      return { kind: 'requeue', task, args: [], bytes: 0 };
    case 'done': {
      if (message.retention <= 0) return { kind: 'done', task, args: [], bytes: 0 };
      const msg = encodeTaskMessage({ ...message, completedAt: now });
      return { kind: 'complete', task, args: [msg, now + message.retention], bytes: msg.byteLength };
    }
    case 'retry': {
      const { at, error, isFailure } = settlement;
      const failures = isFailure ? 1 : 0;
      const retried = message.retried + failures;
      const msg = encodeTaskMessage({
        ...message,
        retried,
        errorMsg: error.toWellFormed(),
        lastFailedAt: now,
      });
      return { kind: 'retry', task, args: [msg, unixSeconds(at), failures], bytes: msg.byteLength };
    }
    case 'archive': {
      const errorMsg = settlement.error.toWellFormed();
      const msg = encodeTaskMessage({ ...message, errorMsg, lastFailedAt: now });
      return { kind: 'archive', task, args: [msg], bytes: msg.byteLength };
    }
    default:
      return settlement satisfies never;
  }
}

export interface SettleCall {
  readonly script: Script;
  readonly keys: readonly string[];
  /** 1: the call may have run before. To be asked when it is sent: leases are extended meanwhile. */
  readonly args: (ranBefore: 0 | 1) => readonly RedisArg[];
}

/** The script call that settles items, all of one kind and queue. */
export function settleCall(items: NonEmpty<SettleItem>, nowMs: number): SettleCall {
  const [{ kind, task: first }] = items;
  const queue = new QueueKeys(first.queue);
  const { script, frees, ...fixed } = SCRIPTS[kind];
  const keys = new BatchKeys(fixed.keys(queue, nowMs));
  const shared = fixed.args(queue, nowMs);
  if (frees) shared.push(items.length);
  const ofLocks: number[] = [];
  for (const { task } of items) {
    const number = keys.add(queue.task(task.id));
    // A lock of another slot, in a message that no client of ours wrote, would have Redis refuse the whole call.
    if (!frees || !task.message.uniqueKey.startsWith(queue.prefix)) continue;
    keys.addLock(task.message.uniqueKey);
    ofLocks.push(number);
  }
  const ofTasks = () => items.flatMap(({ task, args }) => [lastSecondOf(task), ...args]);
  return {
    script,
    keys: keys.all(),
    args: (ranBefore) => [ranBefore, ...shared, ...ofTasks(), ...ofLocks],
  };
}

/** The second in which our lease may end at the latest. */
function lastSecondOf({ leaseExpiresAt, leaseAskedUntil = leaseExpiresAt }: LeasedTask): number {
  return unixSeconds(Math.max(leaseExpiresAt, leaseAskedUntil));
}

function countersOfFailure(queue: QueueKeys, now: number): string[] {
  return [queue.processedOn(now), queue.failedOn(now), queue.processed, queue.failed];
}

function endOfCounters(now: number): number {
  return unixSeconds(now) + STATS_TTL_SECONDS;
}
