import type { SchedulerEntryRecord } from '../wire/scheduler-entry.ts';
import { parseOptionTexts } from './option-text.ts';
import type { TaskOptions } from './options.ts';
import { Payload } from './payload.ts';
import { Task } from './task.ts';

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

export function schedulerEntry(record: SchedulerEntryRecord): SchedulerEntry {
  const { id, spec, taskType, taskPayload, options: optionTexts, next, prev } = record;
  const options = parseOptionTexts(optionTexts);
  return {
    id,
    spec,
    task: new Task(taskType, Payload.ofMessage(taskPayload), options),
    options,
    optionTexts,
    next: next === undefined ? undefined : new Date(next),
    prev: prev === undefined ? undefined : new Date(prev),
  };
}
