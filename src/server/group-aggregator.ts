import type { Logger } from '../runtime/logger.ts';
import type { Task } from '../tasks/task.ts';

/** What an aggregator is told besides the tasks. */
export interface AggregateContext {
  /** Queue of the tasks, and of the one that is made. */
  readonly queue: string;
  /** When the tasks go back to their group, unless they were made one before: Unix milliseconds. */
  readonly deadline: number;
  /** Aborts when a shutdown could not wait: the tasks are in their group again. */
  readonly signal: AbortSignal;
  /** Carries the queue and the group. */
  readonly log: Logger;
}

/**
 * Makes one task of many (Go's GroupAggregatorFunc). The tasks, the oldest first, have type, payload and headers, and no
 * options. Options of the task that it returns hold, but for its queue, which is that of the group. When it throws, the
 * tasks go back to their group, and are tried again later.
 */
export type AggregateFunction = (
  group: string,
  tasks: readonly Task[],
  context: AggregateContext,
) => Task | Promise<Task>;

export interface GroupAggregator {
  aggregate(group: string, tasks: readonly Task[], context: AggregateContext): Task | Promise<Task>;
}

/** Undefined when it is neither. */
export function aggregateFunction(aggregator: unknown): AggregateFunction | undefined {
  if (typeof aggregator === 'function') return aggregator as AggregateFunction;
  if (typeof aggregator !== 'object' || aggregator === null || !('aggregate' in aggregator)) return undefined;
  if (typeof aggregator.aggregate !== 'function') return undefined;
  const object = aggregator as GroupAggregator;
  return (group, tasks, context) => object.aggregate(group, tasks, context);
}
