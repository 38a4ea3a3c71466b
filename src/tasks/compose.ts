import type { Enqueueing } from '../broker/broker.ts';
import { AsynqError } from '../runtime/errors.ts';
import { QueueKeys } from '../wire/keys.ts';
import type { TaskState } from '../wire/states.ts';
import { type ResolvedOptions, resolveOptions, type TaskOptions } from './options.ts';
import type { Task } from './task.ts';

/** A task ready for the broker, and the state that it will have. */
export interface Composed {
  readonly enqueueing: Enqueueing;
  readonly state: Extract<TaskState, 'pending' | 'scheduled' | 'aggregating'>;
  /** Unix milliseconds; undefined while it waits in a group. */
  readonly nextProcessAt: number | undefined;
}

export interface ComposeParts {
  /** Unix milliseconds. */
  readonly nowMs: number;
  readonly newId: () => string;
}

/**
 * What enqueueing a task means, as asynq decides it: a time that is still to come goes before a group (a scheduled task
 * is never grouped), and a lock lives from now until its span after that time.
 *
 * @throws ASYNQ_TASK_TYPE_BLANK and the errors of `resolveOptions`
 */
export function compose(task: Task, options: TaskOptions | undefined, parts: ComposeParts): Composed {
  checkType(task);
  return composeResolved(task, resolveOptions(task.options, options, parts.nowMs), parts);
}

/** Composes many tasks under one set of options; what holds for several in a row is found out once. */
export function composing(options: TaskOptions | undefined, parts: ComposeParts): (task: Task) => Composed {
  let last: { readonly ofTask: TaskOptions; readonly resolved: ResolvedOptions } | undefined;
  return (task) => {
    checkType(task);
    const { options: ofTask } = task;
    if (last?.ofTask !== ofTask) {
      last = { ofTask, resolved: resolveOptions(ofTask, options, parts.nowMs) };
    }
    return composeResolved(task, last.resolved, parts);
  };
}

function checkType({ type }: Task): void {
  if (typeof type !== 'string' || type.trim() === '') throw new AsynqError('ASYNQ_TASK_TYPE_BLANK');
}

function composeResolved(task: Task, resolved: ResolvedOptions, { nowMs, newId }: ComposeParts): Composed {
  const { processAt = nowMs, group, unique } = resolved;
  const message = messageOf(task, resolved, newId);
  if (processAt > nowMs) {
    const lock = unique === undefined ? {} : { uniqueTtl: Math.floor((processAt - nowMs) / 1000 + unique) };
    return { enqueueing: { message, processAt, ...lock }, state: 'scheduled', nextProcessAt: processAt };
  }
  const lock = unique === undefined ? {} : { uniqueTtl: unique };
  return group === undefined
    ? { enqueueing: { message, ...lock }, state: 'pending', nextProcessAt: nowMs }
    : { enqueueing: { message, group, ...lock }, state: 'aggregating', nextProcessAt: undefined };
}

function messageOf(task: Task, options: ResolvedOptions, newId: () => string): Enqueueing['message'] {
  const { type, payload } = task;
  const { queue, unique } = options;
  return {
    type,
    payload: payload.bytes,
    headers: options.headers,
    id: options.taskId ?? newId(),
    queue,
    retry: options.maxRetry,
    retried: 0,
    errorMsg: '',
    timeout: options.timeout,
    deadline: options.deadline,
    uniqueKey:
      unique === undefined ? '' : new QueueKeys(queue).unique(type, payload.isNil ? null : payload.bytes),
    lastFailedAt: 0,
    retention: options.retention,
    completedAt: 0,
    groupKey: options.group ?? '',
  };
}
