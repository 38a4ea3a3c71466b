// Putting tasks into queues.
export { Client, type ClientParts } from './tasks/client.ts';
export type { TaskOptions } from './tasks/options.ts';
export type { Payload, PayloadInput } from './tasks/payload.ts';
export { Task } from './tasks/task.ts';
export type { TaskInfo } from './tasks/task-info.ts';

// Taking them out.

// What both share.
export { openRedis } from './redis/open.ts';
export type { RedisClientOpt, RedisClusterClientOpt, RedisConnOpt, TlsOptions } from './redis/options.ts';
export type { RedisRouter } from './redis/router.ts';
export { type Clock, systemClock } from './runtime/clock.ts';
export { AsynqError, type ErrorCode } from './runtime/errors.ts';
export { createLogger, type Logger, type LogLevel, silentLogger } from './runtime/logger.ts';
export type { TaskState } from './wire/states.ts';
