import { InvalidArgumentError } from 'commander';
import type { Clock } from '../runtime/clock.ts';
import { goQuote } from '../runtime/go-quote.ts';
import type { Inspector } from '../tasks/inspector.ts';
import type { PageOptions } from '../tasks/inspector-options.ts';
import type { TaskInfo } from '../tasks/task-info.ts';
import type { TaskState } from '../wire/states.ts';
import type { Findings } from './output.ts';
import { STATES } from './queue-figures.ts';
import { taskData } from './task-data.ts';
import { taskTable } from './task-table.ts';

/** As commander has parsed them. */
export interface ListFlags {
  readonly queue: string;
  readonly state: string;
  readonly group?: string;
  readonly page: number;
  readonly size: number;
}

/** The tasks that a list is of; `group` is set for aggregating ones. */
interface TasksWanted {
  readonly queue: string;
  readonly state: TaskState;
  readonly group: string;
  readonly page: PageOptions;
}

/** @throws {InvalidArgumentError} in Go's words */
export function parseListFlags({ queue, state, group = '', page, size }: ListFlags): TasksWanted {
  const known = STATES.find((one) => one === state);
  if (known === undefined) {
    throw new InvalidArgumentError(`state=${goQuote(state)} is not supported: expected ${STATES.join(', ')}`);
  }
  if (known === 'aggregating' && group === '') {
    throw new InvalidArgumentError('flag --group is required for listing aggregating tasks');
  }
  return { queue, state: known, group, page: { page, pageSize: size } };
}

/** One page of the tasks. */
export async function listTasks(inspector: Inspector, wanted: TasksWanted, clock: Clock): Promise<Findings> {
  const tasks = await listTasksOf(inspector, wanted);
  return {
    data: tasks.map(taskData),
    text: () => (tasks.length === 0 ? noTasks(wanted) : taskTable(wanted.state, tasks, clock.now())),
  };
}

/** The tasks themselves. */
export function listTasksOf(inspector: Inspector, wanted: TasksWanted): Promise<readonly TaskInfo[]> {
  return LISTS[wanted.state](inspector, wanted);
}

type List = (inspector: Inspector, wanted: TasksWanted) => Promise<readonly TaskInfo[]>;

const LISTS: Readonly<Record<TaskState, List>> = {
  active: (inspector, { queue, page }) => inspector.listActiveTasks(queue, page),
  pending: (inspector, { queue, page }) => inspector.listPendingTasks(queue, page),
  scheduled: (inspector, { queue, page }) => inspector.listScheduledTasks(queue, page),
  retry: (inspector, { queue, page }) => inspector.listRetryTasks(queue, page),
  archived: (inspector, { queue, page }) => inspector.listArchivedTasks(queue, page),
  completed: (inspector, { queue, page }) => inspector.listCompletedTasks(queue, page),
  aggregating: (inspector, { queue, group, page }) => inspector.listAggregatingTasks(queue, group, page),
};

/** The blank at the end of the second is Go's. */
function noTasks({ queue, state, group }: TasksWanted): string {
  return state === 'aggregating'
    ? `No aggregating tasks in group ${goQuote(group)} \n`
    : `No ${state} tasks in ${goQuote(queue)} queue\n`;
}
