// Putting tasks into queues.

export type { ReplicaGoal } from './broker/enqueue-calls.ts';
export { Client, type ClientParts } from './tasks/client.ts';
export type { TaskOptions } from './tasks/options.ts';
export type { Payload, PayloadInput } from './tasks/payload.ts';
export { Task } from './tasks/task.ts';
export type { TaskInfo } from './tasks/task-info.ts';

// Putting them in again and again.

export { periodicTaskFile } from './tasks/periodic-file.ts';
export type { PeriodicTask } from './tasks/periodic-task.ts';
export {
  PeriodicTaskManager,
  type PeriodicTaskManagerOptions,
  type PeriodicTaskProvider,
} from './tasks/periodic-task-manager.ts';
export { runScheduler } from './tasks/run-scheduler.ts';
export { Scheduler, type SchedulerStatus } from './tasks/scheduler.ts';
export type { SchedulerOptions } from './tasks/scheduler-options.ts';

// Taking them out.

export type { ServerConfig, ServerLogLevel, ServerObserver, TaskOutcome } from './server/config.ts';
export type { AggregateContext, AggregateFunction, GroupAggregator } from './server/group-aggregator.ts';
export type { Attempt, Handler, HandlerFunction, Middleware, TaskContext } from './server/handler.ts';
export { ServeMux } from './server/mux.ts';
export { defaultRetryDelay, revokeTask, skipRetry } from './server/outcome.ts';
export { runServer } from './server/run-server.ts';
export { Server, type ServerStatus, type ShutdownOptions } from './server/server.ts';

// How much of a queue may run.

export type { QueueLimits } from './broker/queue-limits.ts';
export { clearQueueLimits, getQueueLimits, setQueueLimits } from './tasks/queue-limits.ts';

// Looking at them, and moving them by hand.

export type { BulkOptions } from './broker/bulk-moves.ts';
export { Inspector, type InspectorParts } from './tasks/inspector.ts';
export type { PageOptions } from './tasks/inspector-options.ts';
export type { DailyStats, GroupInfo, QueueInfo } from './tasks/queue-info.ts';
export type { SchedulerEnqueueEvent, SchedulerEntry } from './tasks/scheduler-info.ts';
export type { ServerInfo, WorkerInfo } from './tasks/server-info.ts';

// What all share.

export { openRedis, type RedisParts } from './redis/open.ts';
export type {
  RedisClientOpt,
  RedisClusterClientOpt,
  RedisConnOpt,
  RedisFailoverClientOpt,
  TlsOptions,
} from './redis/options.ts';
export type {
  CallOptions,
  ClusterNode,
  KeyLocation,
  RedisArg,
  RedisReply,
  RedisRouter,
  ReplicaWait,
  Script,
} from './redis/router.ts';
export { parseRedisUri, type RedisUriOpt } from './redis/uri.ts';
export { type Clock, systemClock } from './runtime/clock.ts';
export { AsynqError, type ErrorCode } from './runtime/errors.ts';
export { createLogger } from './runtime/json-logger.ts';
export type { SignalSource } from './runtime/lifecycle.ts';
export { type Logger, type LogLevel, silentLogger } from './runtime/logger.ts';
export type { Random } from './runtime/random.ts';
export { stderrLogger } from './runtime/stderr-logger.ts';
export type { TaskState } from './wire/states.ts';
