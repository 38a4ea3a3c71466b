import type { TaskOptions } from './options.ts';
import type { Task } from './task.ts';

/** A periodic task of a running scheduler (asynq `SchedulerEntry`). */
export interface SchedulerEntry {
  readonly id: string;
  /** Cron spec. */
  readonly spec: string;
  readonly task: Task;
  /** What `optionTexts` say, as far as it can be read. */
  readonly options: TaskOptions;
  /** As the scheduler announces them, e.g. `MaxRetry(3)`. */
  readonly optionTexts: readonly string[];
  /** Undefined: never. */
  readonly next: Date | undefined;
  /** Undefined: not yet. */
  readonly prev: Date | undefined;
}

/** One enqueue of a periodic task (asynq `SchedulerEnqueueEvent`). */
export interface SchedulerEnqueueEvent {
  readonly taskId: string;
  readonly enqueuedAt: Date;
}
