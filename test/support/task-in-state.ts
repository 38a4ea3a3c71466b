import type { TaskState } from '../../src/wire/states.ts';
import type { TaskMessage } from '../../src/wire/task-message.ts';
import type { BrokerOnRedis } from './redis-broker.ts';
import { taskMessage } from './task-messages.ts';

/** The group of those that aggregate. */
export const GROUP = 'a: b';

/** Brings a task into a state on the ways that tasks take; its queue must hold no pending one. */
export async function taskIn(
  state: TaskState,
  { broker, clock }: BrokerOnRedis,
  fields: Partial<TaskMessage> & { queue: string },
  uniqueTtl?: number,
): Promise<TaskMessage> {
  const message = taskMessage({ retention: state === 'completed' ? 3_600 : 0, ...fields });
  const unique = uniqueTtl === undefined ? {} : { uniqueTtl };
  const soon = clock.now() + 90_000;
  if (state === 'pending') await broker.enqueue({ message, ...unique });
  else if (state === 'scheduled') await broker.enqueue({ message, processAt: soon, ...unique });
  else if (state === 'aggregating') await broker.enqueue({ message, group: GROUP, ...unique });
  else {
    await broker.enqueue({ message, ...unique });
    const [task] = (await broker.dequeue(message.queue, 1)).tasks;
    if (task?.id !== message.id) throw new Error('expected the queue to hold no other pending task');
    if (state === 'retry') {
      await broker.settle(task, { kind: 'retry', at: soon, error: 'no route', isFailure: true });
    }
    if (state === 'archived') await broker.settle(task, { kind: 'archive', error: 'hopeless' });
    if (state === 'completed') await broker.settle(task, { kind: 'done' });
  }
  return message;
}
