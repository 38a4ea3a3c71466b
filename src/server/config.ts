import { availableParallelism, hostname } from 'node:os';
import { inspect } from 'node:util';
import type { Settlement } from '../broker/broker.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { Logger, LogLevel } from '../runtime/logger.ts';
import { type Random, systemRandom } from '../runtime/random.ts';
import { stderrLogger } from '../runtime/stderr-logger.ts';
import type { Task } from '../tasks/task.ts';
import { DEFAULT_QUEUE, LEASE_SECONDS } from '../wire/limits.ts';
import { type AggregateFunction, aggregateFunction, type GroupAggregator } from './group-aggregator.ts';
import type { Attempt } from './handler.ts';
import { defaultRetryDelay } from './outcome.ts';
import { checkQueue } from './queue-set.ts';

/** Options of a server, named as in Go's asynq; spans are milliseconds. */
export interface ServerConfig {
  /** Handlers that run at once, over all queues. @default the number of usable CPUs */
  readonly concurrency?: number;
  /**
   * Queue name -> priority, a whole number from 1. A queue's priority is its share of the tasks that are taken while all
   * queues have some. @default { default: 1 }
   */
  readonly queues?: Readonly<Record<string, number>>;
  /** A queue gets slots only when those of higher priority have no pending task. @default false */
  readonly strictPriority?: boolean;
  /**
   * Where handlers take less than a millisecond on average, up to 64 tasks are held at a time (still only `concurrency`
   * run at once), and given back when they do not move. Never with `strictPriority`. @default true
   */
  readonly prefetch?: boolean;
  /** Between two looks at empty queues; half to one and a half of it. @default 1000 */
  readonly taskCheckInterval?: number;
  /** Milliseconds until the next attempt. @default n^4 + 15 s and up to 29(n+1) s of chance, n being `retried` */
  readonly retryDelay?: (retried: number, error: unknown, task: Task) => number;
  /** False: the attempt is repeated without counting as failed. @default always true */
  readonly isFailure?: (error: unknown) => boolean;
  /** Told of every failed attempt before its outcome is written, also of attempts whose worker died. */
  readonly errorHandler?: (error: unknown, task: Task, attempt: Attempt) => unknown;
  /**
   * A handler that is told to stop, since its time is over or its task was cancelled, may take so long to end before its
   * task is settled over its head: until then no retry begins beside it. 0: settled at once, as Go does. @default 10000
   */
  readonly stopGrace?: number;
  /** How long a shutdown waits for running handlers. @default 8000 */
  readonly shutdownTimeout?: number;
  /** Told with each check whether Redis answered a ping: the error, or undefined. */
  readonly healthCheck?: (error: unknown) => void;
  /** @default 15000 */
  readonly healthCheckInterval?: number;
  /**
   * Makes one task of those that wait in a group. Without one, this server leaves groups alone.
   * @default none
   */
  readonly groupAggregator?: GroupAggregator | AggregateFunction;
  /** A group is ready when its newest task came so long ago; at least 1000. @default 60000 */
  readonly groupGracePeriod?: number;
  /** A group is ready when its oldest task came so long ago, 0: however old it is. @default 0 */
  readonly groupMaxDelay?: number;
  /**
   * A group is ready when it has so many tasks, and no more are made one; 0: no limit but 10,000. However many they are, a
   * set of them ends with the task that makes it 64 MiB large. @default 0
   */
  readonly groupMaxSize?: number;
  /**
   * A task that was taken is this server's for so long, and longer as long as it says so; whole seconds, at least 5000. A
   * server that dies leaves its tasks lying until their lease has ended, and the same time again (but no more than half a
   * minute, for clocks differ); a server that cannot reach Redis for so long loses its tasks.
   * @default 30000
   */
  readonly leaseDuration?: number;
  /**
   * Longest time between two looks for scheduled and retry tasks that fall due; those that are known are moved on time.
   * @default 1000 (Go: 5000, for it knows none)
   */
  readonly delayedTaskCheckInterval?: number;
  /** Between two rounds that delete completed tasks whose retention is over. @default 8000 */
  readonly janitorInterval?: number;
  /** Completed tasks deleted by one script. @default 100 */
  readonly janitorBatchSize?: number;
  /**
   * When it aborts, so do the signals of all handlers, and their attempts count as failed. The server takes no more
   * tasks from then on, for good: unlike a shutdown's, tasks at work do not go back to their queues.
   */
  readonly signal?: AbortSignal;
  /** @default text on stderr, from `logLevel` up; `silentLogger` turns it off */
  readonly log?: Logger;
  /** The least that is said where there is no `log`. @default 'info' */
  readonly logLevel?: ServerLogLevel;
  /** What the server is called in Redis. @default the name of this machine */
  readonly host?: string;
  /** Told what happens, for metrics. */
  readonly observer?: ServerObserver;
  readonly clock?: Clock;
  readonly random?: Random;
}

export type ServerLogLevel = Exclude<LogLevel, 'fatal' | 'silent'>;

/** Called in passing; what it throws is logged and dropped. */
export interface ServerObserver {
  /** A handler has ended, however. */
  handled?(queue: string, durationMs: number): void;
  /** An outcome was written, or could not be since the lease was lost. */
  settled?(queue: string, outcome: TaskOutcome): void;
}

export type TaskOutcome = Settlement['kind'] | 'lost';

type Optional = 'errorHandler' | 'healthCheck' | 'groupAggregator' | 'signal' | 'observer';

export type ResolvedConfig = Required<Omit<ServerConfig, Optional>> & Pick<ServerConfig, Optional>;

/** @throws ASYNQ_CONFIG_INVALID naming the option, what was expected and what came; ASYNQ_QUEUE_NAME_INVALID */
export function resolveConfig(config: ServerConfig): ResolvedConfig {
  const { random = systemRandom, logLevel = 'info' } = config;
  if (!LOG_LEVELS.includes(logLevel)) throw wrong('logLevel', LOG_LEVELS.join(', '), logLevel);
  const resolved: ResolvedConfig = {
    concurrency: availableParallelism(),
    queues: { [DEFAULT_QUEUE]: 1 },
    strictPriority: false,
    prefetch: true,
    taskCheckInterval: 1_000,
    retryDelay: (retried) => defaultRetryDelay(retried, random),
    isFailure: () => true,
    stopGrace: 10_000,
    shutdownTimeout: 8_000,
    healthCheckInterval: 15_000,
    groupGracePeriod: 60_000,
    groupMaxDelay: 0,
    groupMaxSize: 0,
    leaseDuration: LEASE_SECONDS * 1000,
    delayedTaskCheckInterval: 1_000,
    janitorInterval: 8_000,
    janitorBatchSize: 100,
    log: stderrLogger(logLevel),
    logLevel,
    host: hostname(),
    clock: systemClock,
    random,
    ...defined(config),
  };
  for (const option of ['concurrency', 'janitorBatchSize'] as const) {
    if (!isWholeFrom1(resolved[option])) throw wrong(option, 'a whole number from 1', resolved[option]);
  }
  for (const option of INTERVALS) {
    if (!(resolved[option] > 0 && Number.isFinite(resolved[option]))) {
      throw wrong(option, 'milliseconds above 0', resolved[option]);
    }
  }
  for (const option of ['shutdownTimeout', 'stopGrace', 'groupMaxDelay'] as const) {
    if (!(resolved[option] >= 0)) throw wrong(option, 'milliseconds from 0', resolved[option]);
  }
  checkGroups(resolved);
  const { leaseDuration } = resolved;
  if (leaseDuration % 1000 !== 0 || !(leaseDuration >= SHORTEST_LEASE_MS)) {
    throw wrong('leaseDuration', 'milliseconds from 5000 that are whole seconds', leaseDuration);
  }
  checkQueues(resolved.queues);
  return resolved;
}

/** A third of it must be enough for a round trip, on a bad day. */
const SHORTEST_LEASE_MS = 5_000;

function checkGroups({ groupAggregator, groupGracePeriod, groupMaxSize }: ResolvedConfig): void {
  if (groupAggregator !== undefined && aggregateFunction(groupAggregator) === undefined) {
    throw wrong('groupAggregator', 'a function or an object with a method aggregate', groupAggregator);
  }
  if (!(groupGracePeriod >= 1_000 && Number.isFinite(groupGracePeriod))) {
    throw wrong('groupGracePeriod', 'milliseconds from 1000', groupGracePeriod);
  }
  if (groupMaxSize !== 0 && !isWholeFrom1(groupMaxSize)) {
    throw wrong('groupMaxSize', 'a whole number from 0', groupMaxSize);
  }
}

const LOG_LEVELS: readonly ServerLogLevel[] = ['debug', 'info', 'warn', 'error'];

const INTERVALS = [
  'taskCheckInterval',
  'healthCheckInterval',
  'delayedTaskCheckInterval',
  'janitorInterval',
] as const;

function checkQueues(queues: Readonly<Record<string, number>>): void {
  const entries = Object.entries(queues);
  if (entries.length === 0) throw wrong('queues', 'at least one queue', queues);
  for (const [name, priority] of entries) checkQueue(name, priority);
}

function isWholeFrom1(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function wrong(option: keyof ServerConfig, expected: string, got: unknown): AsynqError {
  return new AsynqError('ASYNQ_CONFIG_INVALID', `${option}: expected ${expected}, got ${inspect(got)}`);
}
