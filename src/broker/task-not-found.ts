import { AsynqError } from '../runtime/errors.ts';

export function taskNotFound(queue: string, id: string): AsynqError {
  const text = `cannot find task with id=${id} in queue ${JSON.stringify(queue)}`;
  return new AsynqError('ASYNQ_TASK_NOT_FOUND', text);
}
