import { randomUUID } from 'node:crypto';
import type { TaskMessage } from '../../src/wire/task-message.ts';

/** A message as a client would write it, but for what the test says. */
export function taskMessage(fields: Partial<TaskMessage> & Pick<TaskMessage, 'queue'>): TaskMessage {
  return {
    type: 'test:task',
    payload: new Uint8Array(),
    headers: {},
    id: randomUUID(),
    retry: 25,
    retried: 0,
    errorMsg: '',
    timeout: 1_800,
    deadline: 0,
    uniqueKey: '',
    lastFailedAt: 0,
    retention: 0,
    completedAt: 0,
    groupKey: '',
    ...fields,
  };
}
