import { errorText } from '../runtime/errors.ts';
import type { TaskState } from '../wire/states.ts';
import { decodeTaskMessage, type TaskMessage } from '../wire/task-message.ts';
import { unreadableTask } from '../wire/unreadable-task.ts';

/** A task as it lies in its queue. Times are Unix milliseconds. */
export interface StoredTask {
  readonly message: TaskMessage;
  readonly state: TaskState;
  readonly nextProcessAt: number | undefined;
  /** Active without a lease that stands: nobody works on it. */
  readonly isOrphaned: boolean;
  readonly result: Uint8Array | undefined;
}

/** What Redis holds of a task. Scores are Unix seconds. */
export interface RawTask {
  readonly queue: string;
  readonly id: string;
  readonly state: TaskState;
  readonly msg: Uint8Array | undefined;
  readonly result: Uint8Array | undefined;
  /** When it is due, if it is scheduled or in retry. */
  readonly dueAt: number | undefined;
  /** When its lease ends, if it has one. */
  readonly leaseEnd: number | undefined;
}

export function storedTask(raw: RawTask, nowMs: number): StoredTask {
  const { state, leaseEnd, result } = raw;
  return {
    message: readMessage(raw.queue, raw.id, raw.msg),
    state,
    nextProcessAt: nextProcessAt(raw, nowMs),
    isOrphaned: state === 'active' && (leaseEnd === undefined || leaseEnd * 1000 <= nowMs),
    result,
  };
}

/** What does not decode, or is the message of another task, is shown with the reason as its error: hidden, it would stay. */
function readMessage(queue: string, id: string, msg: Uint8Array | undefined): TaskMessage {
  if (msg === undefined) return withReason(queue, id, new Uint8Array(0), 'the task has no message');
  try {
    const message = decodeTaskMessage(msg);
    if (message.id === id) return message;
    const got = JSON.stringify(message.id);
    return withReason(
      queue,
      id,
      msg,
      `expected a task message of id ${JSON.stringify(id)}, got one of ${got}`,
    );
  } catch (error) {
    return withReason(queue, id, msg, errorText(error));
  }
}

function withReason(queue: string, id: string, msg: Uint8Array, errorMsg: string): TaskMessage {
  return { ...unreadableTask(queue, id, msg), errorMsg };
}

function nextProcessAt({ state, dueAt }: RawTask, nowMs: number): number | undefined {
  if (state === 'pending') return nowMs;
  if (state !== 'scheduled' && state !== 'retry') return undefined;
  return dueAt === undefined ? undefined : dueAt * 1000;
}
