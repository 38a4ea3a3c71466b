import { systemClock } from '../runtime/clock.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import { createLogger } from '../runtime/json-logger.ts';
import { aborted, QuietSignal, StopSignals } from '../runtime/lifecycle.ts';
import type { LogLevel } from '../runtime/logger.ts';
import { ParentChannel } from '../runtime/parent-channel.ts';
import { readWorkerEnv } from '../runtime/worker-env.ts';
import { runWorker } from '../server/worker.ts';

/** A handler that does not listen, or a module that still loads, may keep the process alive: for so long at most. */
const LAST_MS = 500;

/**
 * `asynq-operator worker`: runs until a signal, or the end of the process that started it. Resolves to the exit code.
 *
 * SIGTERM and SIGINT drain, and the second of them does not wait for that; SIGTSTP takes no more tasks, and waits.
 */
export async function main(flags: { port: number; host?: string; logLevel: LogLevel }): Promise<number> {
  const { logLevel, ...options } = flags;
  const log = createLogger({ level: logLevel });
  using signals = new StopSignals();
  using quiet = new QuietSignal();
  using parent = new ParentChannel(signals.stop);
  let code = 0;
  try {
    const parts = { ...options, clock: systemClock, log, signal: signals.graceful };
    const worker = await runWorker(readWorkerEnv(process.env), parts);
    parent.send({ type: 'ready', port: worker.port });
    void aborted(quiet.asked).then(() => worker.quiet());
    await aborted(signals.graceful);
    await worker.stop(signals.forceful);
  } catch (error) {
    const isStopped = signals.graceful.aborted && AsynqError.is(error, 'ASYNQ_CLOSED');
    code = isStopped ? 0 : 1;
    if (isStopped) log.info({}, error.message);
    else log.error(AsynqError.is(error) ? { code: error.code } : { err: error }, errorText(error));
  }
  setTimeout(() => process.exit(code), LAST_MS).unref();
  return code;
}
