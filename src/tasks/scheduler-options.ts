import { inspect } from 'node:util';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { stderrLogger } from '../runtime/stderr-logger.ts';
import type { TaskOptions } from './options.ts';
import type { Task } from './task.ts';
import type { TaskInfo } from './task-info.ts';
import { TimeZone } from './time-zone.ts';

/** Options of a scheduler, named as in Go's asynq (`SchedulerOpts`); spans are milliseconds. Hooks may be async. */
export interface SchedulerOptions {
  /** Between two times that it tells what its entries are; they are forgotten after twice that. @default 10000 */
  readonly heartbeatInterval?: number;
  /** Zone of specs that name none, as in the IANA database; `Local` is this machine's. @default 'UTC' */
  readonly location?: string;
  /**
   * Several schedulers with the same entries enqueue each fire once, by whoever comes first: a key in the slot of the
   * queue is taken in the same step. Entries have the same id in all of them, and share their history. `@every` is counted
   * from 1970, not from the start. Spec, type, payload, headers and options must be the same, and clocks may differ by
   * minutes at most. Go's asynq has no such option. @default false
   */
  readonly highAvailability?: boolean;
  /** Called before a task is enqueued, which waits for it. */
  readonly preEnqueue?: (task: Task, options: TaskOptions) => unknown;
  /** Called after it: what became of the task, or why nothing. Not when another scheduler has enqueued it. */
  readonly postEnqueue?: (info: TaskInfo | undefined, error: unknown) => unknown;
  /** Called when a task could not be enqueued (asynq `EnqueueErrorHandler`). */
  readonly onEnqueueError?: (task: Task, options: TaskOptions, error: unknown) => unknown;
  /** @default warnings and errors on stderr, as text; `silentLogger` turns it off */
  readonly log?: Logger;
  /** @default the system's */
  readonly clock?: Clock;
}

type Hooks = 'preEnqueue' | 'postEnqueue' | 'onEnqueueError';

export type ResolvedSchedulerOptions = Required<Omit<SchedulerOptions, Hooks>> &
  Pick<SchedulerOptions, Hooks>;

const DEFAULT_HEARTBEAT_MS = 10_000;

/** @throws ASYNQ_CONFIG_INVALID naming the option, what was expected and what came */
export function resolveSchedulerOptions(options: SchedulerOptions): ResolvedSchedulerOptions {
  const { heartbeatInterval = DEFAULT_HEARTBEAT_MS, location = 'UTC', highAvailability = false } = options;
  if (!(heartbeatInterval >= 1)) throw invalid('heartbeatInterval', 'milliseconds from 1', heartbeatInterval);
  const name = location === 'Local' ? Intl.DateTimeFormat().resolvedOptions().timeZone : location;
  if (TimeZone.named(name) === undefined) throw invalid('location', 'a time zone', location);
  return {
    ...options,
    heartbeatInterval,
    location: name,
    highAvailability,
    log: options.log ?? stderrLogger('warn'),
    clock: options.clock ?? systemClock,
  };
}

function invalid(name: keyof SchedulerOptions, expected: string, got: unknown): AsynqError {
  return new AsynqError('ASYNQ_CONFIG_INVALID', `${name}: expected ${expected}, got ${inspect(got)}`);
}
