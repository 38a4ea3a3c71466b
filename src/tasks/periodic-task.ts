import { createHash, randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { AsynqError } from '../runtime/errors.ts';
import { compose } from './compose.ts';
import { type CronSpec, parseCronSpec } from './cron-spec.ts';
import { optionTexts } from './option-text.ts';
import { mergeOptions, type TaskOptions } from './options.ts';
import { Task } from './task.ts';

/** A task that is enqueued again and again (asynq `PeriodicTaskConfig`). */
export interface PeriodicTask {
  /** Cron spec: `0,30 8-18 * * MON-FRI`, `@daily`, `@every 90s`, `CRON_TZ=Europe/Berlin 0 6 * * *`. */
  readonly spec: string;
  readonly task: Task;
  /** Of each enqueue, over those of the task. */
  readonly options?: TaskOptions;
}

/**
 * When a task is to be enqueued. Refuses what never could be.
 *
 * @throws ASYNQ_CRON_SPEC_INVALID and the errors of `compose`
 */
export function checkPeriodicTask(
  { spec, task, options }: PeriodicTask,
  parts: { readonly location: string; readonly nowMs: number },
): CronSpec {
  const parsed = parseCronSpec(spec, parts.location);
  if (!(task instanceof Task)) {
    throw new AsynqError('ASYNQ_OPTION_INVALID', `task: expected a Task, got ${inspect(task, { depth: 0 })}`);
  }
  compose(task, options, { nowMs: parts.nowMs, newId: randomUUID });
  return parsed;
}

/**
 * The same for what is the same wherever it is made: spec, zone of specs that name none, type, payload, headers and
 * options, in whatever order. A UUID in form.
 */
export function identityOf({ spec, task, options }: PeriodicTask, location: string): string {
  const { bytes, isNil } = task.payload;
  const parts = [
    spec,
    location,
    task.type,
    isNil ? null : Buffer.from(bytes).toString('base64'),
    ...optionTexts(mergeOptions(task.options, options)).toSorted(),
  ];
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}
