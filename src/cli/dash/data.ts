import { AsynqError, errorText } from '../../runtime/errors.ts';
import type { Inspector } from '../../tasks/inspector.ts';
import type { GroupInfo, QueueInfo } from '../../tasks/queue-info.ts';
import type { TaskInfo } from '../../tasks/task-info.ts';
import { listTasksOf } from '../task-list.ts';
import type { DashState, QueueView } from './state.ts';

/** What was read last of each; undefined: nothing yet. */
export interface DashData {
  readonly queues?: readonly QueueInfo[] | undefined;
  readonly info?: QueueInfo | undefined;
  readonly groups?: { readonly queue: string; readonly list: readonly GroupInfo[] } | undefined;
  /** `place` is that of the view they were read for. */
  readonly tasks?: { readonly place: string; readonly list: readonly TaskInfo[] } | undefined;
  readonly task?:
    | { readonly queue: string; readonly id: string; readonly info: TaskInfo | undefined }
    | undefined;
}

/** What a look has brought, and what it could not see. */
export interface Reading {
  readonly data: DashData;
  readonly failure: string | undefined;
}

/** What view the list of tasks is of; equal for views with the same list. */
export function placeOf({ queue, state, group, page }: QueueView, pageSize: number): string {
  return JSON.stringify([queue, state, group ?? null, page, pageSize]);
}

/** Reads what the uppermost view shows, and leaves the rest of `last` as it is. */
export function readData(
  inspector: Inspector,
  { queue }: DashState,
  last: DashData,
  pageSize: number,
): Promise<Reading> {
  return queue === undefined ? readQueues(inspector, last) : readQueue(inspector, queue, last, pageSize);
}

/** A queue that cannot be read keeps its last figures; one that was just removed is not there. */
async function readQueues(inspector: Inspector, last: DashData): Promise<Reading> {
  const names = await inspector.queues();
  const looks = await Promise.allSettled(names.map((name) => inspector.getQueueInfo(name)));
  let failure: string | undefined;
  const queues = looks.flatMap((look, i) => {
    if (look.status === 'fulfilled') return [look.value];
    if (AsynqError.is(look.reason, 'ASYNQ_QUEUE_NOT_FOUND')) return [];
    failure ??= errorText(look.reason);
    return last.queues?.filter(({ queue }) => queue === names[i]) ?? [];
  });
  return { data: { ...last, queues }, failure };
}

async function readQueue(
  inspector: Inspector,
  view: QueueView,
  last: DashData,
  pageSize: number,
): Promise<Reading> {
  const { queue, state, group, page, task } = view;
  const isOfGroups = state === 'aggregating';
  const [info, groups, tasks, one] = await Promise.all([
    inspector.getQueueInfo(queue),
    isOfGroups ? inspector.groups(queue) : undefined,
    isOfGroups && group === undefined
      ? []
      : listTasksOf(inspector, { queue, state, group: group ?? '', page: { page, pageSize } }),
    task && findTask(inspector, queue, task.id),
  ]);
  return {
    data: {
      ...last,
      info,
      groups: groups === undefined ? last.groups : { queue, list: groups },
      tasks: { place: placeOf(view, pageSize), list: tasks },
      task: task && { queue, id: task.id, info: one },
    },
    failure: undefined,
  };
}

/** Undefined when it is no more. */
async function findTask(inspector: Inspector, queue: string, id: string): Promise<TaskInfo | undefined> {
  try {
    return await inspector.getTaskInfo(queue, id);
  } catch (error) {
    if (AsynqError.is(error, 'ASYNQ_TASK_NOT_FOUND')) return undefined;
    throw error;
  }
}
