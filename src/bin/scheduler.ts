import { systemClock } from '../runtime/clock.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import { probe, serveHttp } from '../runtime/http.ts';
import { createLogger } from '../runtime/json-logger.ts';
import { aborted, StopSignals } from '../runtime/lifecycle.ts';
import type { Logger, LogLevel } from '../runtime/logger.ts';
import { ParentChannel } from '../runtime/parent-channel.ts';
import { readRedisEnv } from '../runtime/worker-env.ts';
import { redisOf } from '../server/worker-redis.ts';
import { periodicTaskFile } from '../tasks/periodic-file.ts';
import { PeriodicTaskManager } from '../tasks/periodic-task-manager.ts';

/** The flags of `asynq-operator scheduler`; where Redis is says the environment, as for a worker. */
export interface SchedulerFlags {
  readonly filename: string;
  /** Milliseconds between two readings of the file. */
  readonly syncInterval: number;
  readonly location: string;
  readonly highAvailability: boolean;
  readonly port: number;
  readonly host?: string;
  readonly logLevel: LogLevel;
}

/** What is still open does not keep the process alive for longer. */
const LAST_MS = 500;

/**
 * `asynq-operator scheduler`: enqueues the tasks of a file until a signal, or the end of the process that started it; a
 * second signal does not wait for enqueues on their way. Resolves to the exit code.
 */
export async function main(flags: SchedulerFlags): Promise<number> {
  const log = createLogger({ level: flags.logLevel });
  using signals = new StopSignals();
  using parent = new ParentChannel(signals.stop);
  let code = 0;
  try {
    const running = await start(flags, log);
    parent.send({ type: 'ready', port: running.port });
    await aborted(signals.graceful);
    await Promise.race([running.stop(), aborted(signals.forceful)]);
  } catch (error) {
    code = 1;
    log.error(AsynqError.is(error) ? { code: error.code } : { err: error }, errorText(error));
  }
  setTimeout(() => process.exit(code), LAST_MS).unref();
  return code;
}

async function start(
  flags: SchedulerFlags,
  log: Logger,
): Promise<{ port: number; stop: () => Promise<void> }> {
  const { filename, syncInterval, location, highAvailability, port, host } = flags;
  await using stack = new AsyncDisposableStack();
  const redis = await redisOf({ redis: readRedisEnv(process.env) });
  const manager = stack.use(
    new PeriodicTaskManager(redis, {
      provider: periodicTaskFile(filename),
      syncInterval,
      location,
      highAvailability,
      clock: systemClock,
      log,
    }),
  );
  await manager.start();
  const http = await serveHttp({
    port,
    ...(host === undefined ? {} : { host }),
    // It serves nothing before it has started, and heals by waiting when Redis is away.
    routes: { '/healthz': probe(() => undefined), '/readyz': probe(() => undefined) },
    log,
  });
  stack.defer(() => http.close());
  const all = stack.move();
  return { port: http.port, stop: () => all.disposeAsync() };
}
