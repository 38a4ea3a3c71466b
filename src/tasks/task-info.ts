import type { TaskState } from '../wire/states.ts';
import type { TaskMessage } from '../wire/task-message.ts';
import { Payload } from './payload.ts';

/** A task as it lies in Redis. */
export interface TaskInfo {
  readonly id: string;
  readonly queue: string;
  readonly type: string;
  readonly payload: Payload;
  readonly headers: Readonly<Record<string, string>>;
  readonly state: TaskState;
  readonly maxRetry: number;
  /** How often it was retried so far. */
  readonly retried: number;
  /** The text of its last error; empty when it never failed. */
  readonly lastErr: string;
  readonly lastFailedAt: Date | undefined;
  /** Seconds that one attempt may take; 0: no limit but the deadline. */
  readonly timeoutSeconds: number;
  readonly deadline: Date | undefined;
  /** Empty: none. */
  readonly group: string;
  /** Undefined when nobody knows: active, aggregating, or at its end. */
  readonly nextProcessAt: Date | undefined;
  /** Active without a lease that stands: its worker is gone. */
  readonly isOrphaned: boolean;
  /** Seconds for which it is kept after success. */
  readonly retentionSeconds: number;
  readonly completedAt: Date | undefined;
  readonly result: Uint8Array | undefined;
}

/** What the message of a task does not say. */
export interface Circumstances {
  readonly state: TaskState;
  /** Unix milliseconds. */
  readonly nextProcessAt?: number | undefined;
  readonly isOrphaned?: boolean;
  readonly result?: Uint8Array | undefined;
}

export function taskInfo(message: TaskMessage, circumstances: Circumstances): TaskInfo {
  const { state, nextProcessAt, isOrphaned = false, result } = circumstances;
  return {
    id: message.id,
    queue: message.queue,
    type: message.type,
    payload: Payload.ofMessage(message.payload),
    headers: message.headers,
    state,
    maxRetry: message.retry,
    retried: message.retried,
    lastErr: message.errorMsg,
    lastFailedAt: dateOf(message.lastFailedAt),
    timeoutSeconds: message.timeout,
    deadline: dateOf(message.deadline),
    group: message.groupKey,
    nextProcessAt: nextProcessAt === undefined ? undefined : new Date(nextProcessAt),
    isOrphaned,
    retentionSeconds: message.retention,
    completedAt: dateOf(message.completedAt),
    result,
  };
}

function dateOf(unixSeconds: number): Date | undefined {
  return unixSeconds === 0 ? undefined : new Date(unixSeconds * 1000);
}
