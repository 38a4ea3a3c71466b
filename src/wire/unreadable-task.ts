import { emptyTaskMessage, type TaskMessage } from './task-message.ts';

/** The type under which a message that does not decode is shown and archived. */
const UNREADABLE_TYPE = 'asynq:unreadable';

/** A readable message in place of one that does not decode: its bytes are the payload, so that no tool loses them. */
export function unreadableTask(queue: string, id: string, msg: Uint8Array): TaskMessage {
  return { ...emptyTaskMessage(), type: UNREADABLE_TYPE, id, queue, payload: msg };
}

/** Whether a message stands in place of one that did not decode. */
export function isUnreadableTask({ type }: Pick<TaskMessage, 'type'>): boolean {
  return type === UNREADABLE_TYPE;
}
