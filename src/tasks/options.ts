import { inspect } from 'node:util';
import { defined } from '../runtime/defined.ts';
import { AsynqError } from '../runtime/errors.ts';
import { checkQueueName } from '../wire/keys.ts';
import { DEFAULT_MAX_RETRY, DEFAULT_QUEUE, DEFAULT_TIMEOUT_SECONDS } from '../wire/limits.ts';

/** How a task is enqueued and run. Seconds are whole on the wire: a fraction is cut. */
export interface TaskOptions {
  /** Name of the queue, taken byte for byte: case and Unicode form count. @default "default" */
  readonly queue?: string;
  /** Must be free in the queue: a task in any state, completed and archived too, holds its id. @default a random UUID */
  readonly taskId?: string;
  /** How often a failed task is run again; negative is 0. @default 25 */
  readonly maxRetry?: number;
  /** Seconds that one attempt may take; 0: no limit but the deadline. @default 1800 when there is no deadline either */
  readonly timeoutSeconds?: number;
  /** When an attempt counts as failed at the latest. @default none */
  readonly deadline?: Date;
  /** When to run it; the past is now. Instead of `processInSeconds`. @default now */
  readonly processAt?: Date;
  /** In how many seconds to run it. Instead of `processAt`. @default 0 */
  readonly processInSeconds?: number;
  /** Seconds for which no other of its queue, type and payload is let in, unless it is done before; at least 1. */
  readonly uniqueSeconds?: number;
  /** Seconds for which the task and its result are kept after success. @default 0: deleted at once */
  readonly retentionSeconds?: number;
  /** Group in which it waits to be made one task with others. @default none */
  readonly group?: string;
  /** Merged over the headers of the task. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** No options at all: nothing to merge. */
export const NO_OPTIONS: TaskOptions = Object.freeze({});

/** Options with defaults and checks behind them. Seconds are whole; times are Unix milliseconds. */
export interface ResolvedOptions {
  readonly queue: string;
  readonly taskId: string | undefined;
  readonly maxRetry: number;
  readonly timeout: number;
  /** Unix seconds; 0: none. */
  readonly deadline: number;
  /** Undefined: at once. */
  readonly processAt: number | undefined;
  readonly unique: number | undefined;
  readonly retention: number;
  readonly group: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

const MAX_INT32 = 2 ** 31 - 1;
/** Go holds spans in nanoseconds of an int64: longer ones it would read as something else. */
const MAX_SPAN_SECONDS = 9_223_372_036;

/**
 * The options of a task under those of its enqueue, which win kind by kind.
 *
 * @throws ASYNQ_QUEUE_NAME_INVALID, ASYNQ_TASK_ID_BLANK, ASYNQ_GROUP_BLANK, ASYNQ_UNIQUE_TTL_TOO_SHORT,
 * ASYNQ_OPTION_INVALID
 */
export function resolveOptions(
  ofTask: TaskOptions,
  ofEnqueue: TaskOptions | undefined,
  nowMs: number,
): ResolvedOptions {
  const options = mergeOptions(ofTask, ofEnqueue);
  const { queue = DEFAULT_QUEUE, deadline } = options;
  const [taskId, group] = [textOf('taskId', options), textOf('group', options)];
  checkQueueName(queue);
  if (taskId?.trim() === '') throw new AsynqError('ASYNQ_TASK_ID_BLANK');
  if (group?.trim() === '') throw new AsynqError('ASYNQ_GROUP_BLANK');
  const until = deadline === undefined ? 0 : Math.floor(timeOf('deadline', deadline) / 1000);
  return {
    queue,
    taskId,
    maxRetry: maxRetryOf(options),
    timeout: timeoutOf(options, until),
    deadline: until,
    processAt: processAtOf(options, nowMs),
    unique: uniqueOf(options),
    retention: wholeSeconds('retentionSeconds', options.retentionSeconds ?? 0),
    group,
    headers: headersOf(options),
  };
}

// Programs without types give what they like; what is none of ours would fail far from here.

function textOf(name: 'taskId' | 'group', options: TaskOptions): string | undefined {
  const text: unknown = options[name];
  if (text === undefined || typeof text === 'string') return text;
  throw invalid(name, 'text', text);
}

function headersOf({ headers = {} }: TaskOptions): Readonly<Record<string, string>> {
  const isText = Object.values(headers ?? 0).every((value: unknown) => typeof value === 'string');
  if (typeof headers === 'object' && headers !== null && isText) return headers;
  throw invalid('headers', 'an object whose values are texts', headers);
}

/** Later options over earlier ones, kind by kind. */
export function mergeOptions(ofTask: TaskOptions, ofEnqueue: TaskOptions = NO_OPTIONS): TaskOptions {
  if (ofEnqueue === NO_OPTIONS) return ofTask;
  if (ofTask === NO_OPTIONS) return ofEnqueue;
  const later: TaskOptions = defined(ofEnqueue);
  const isTimed = later.processAt !== undefined || later.processInSeconds !== undefined;
  const earlier = isTimed
    ? defined({ ...ofTask, processAt: undefined, processInSeconds: undefined })
    : ofTask;
  return { ...earlier, ...later, headers: { ...ofTask.headers, ...later.headers } };
}

function maxRetryOf({ maxRetry = DEFAULT_MAX_RETRY }: TaskOptions): number {
  if (Number.isInteger(maxRetry) && maxRetry <= MAX_INT32) return Math.max(0, maxRetry);
  throw invalid('maxRetry', `a whole number up to ${MAX_INT32}`, maxRetry);
}

function timeoutOf({ timeoutSeconds }: TaskOptions, deadline: number): number {
  const timeout = wholeSeconds('timeoutSeconds', timeoutSeconds ?? 0);
  return timeout === 0 && deadline === 0 ? DEFAULT_TIMEOUT_SECONDS : timeout;
}

function processAtOf({ processAt, processInSeconds }: TaskOptions, nowMs: number): number | undefined {
  if (processAt !== undefined && processInSeconds !== undefined) {
    throw new AsynqError('ASYNQ_OPTION_INVALID', 'expected processAt or processInSeconds, got both');
  }
  if (processAt !== undefined) return timeOf('processAt', processAt);
  if (processInSeconds === undefined) return undefined;
  const at = typeof processInSeconds === 'number' ? nowMs + processInSeconds * 1000 : Number.NaN;
  if (Math.abs(at) <= MAX_DATE_MS) return at;
  throw invalid('processInSeconds', 'seconds that lead to a date', processInSeconds);
}

function uniqueOf({ uniqueSeconds }: TaskOptions): number | undefined {
  if (uniqueSeconds === undefined) return undefined;
  if (typeof uniqueSeconds === 'number' && uniqueSeconds < 1)
    throw new AsynqError('ASYNQ_UNIQUE_TTL_TOO_SHORT');
  return wholeSeconds('uniqueSeconds', uniqueSeconds);
}

/** Seconds as the wire has them. What a cut would make 0, and so mean the opposite, is refused. */
function wholeSeconds(name: keyof TaskOptions, seconds: number): number {
  const isSpan =
    typeof seconds === 'number' && (seconds === 0 || (seconds >= 1 && seconds <= MAX_SPAN_SECONDS));
  if (!isSpan) throw invalid(name, `0, or 1 to ${MAX_SPAN_SECONDS} seconds`, seconds);
  return Math.floor(seconds);
}

/** Farthest that a Date reaches, either way. */
const MAX_DATE_MS = 8.64e15;

function timeOf(name: keyof TaskOptions, date: Date): number {
  const ms = date instanceof Date ? date.getTime() : Number.NaN;
  if (Number.isNaN(ms)) throw invalid(name, 'a valid Date', date);
  return ms;
}

function invalid(name: keyof TaskOptions, expected: string, got: unknown): AsynqError {
  return new AsynqError(
    'ASYNQ_OPTION_INVALID',
    `option ${name}: expected ${expected}, got ${typeof got === 'string' ? got : inspect(got)}`,
  );
}
