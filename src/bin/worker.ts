import { systemClock } from '../runtime/clock.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import { aborted, StopSignals } from '../runtime/lifecycle.ts';
import { createLogger } from '../runtime/logger.ts';
import { ParentChannel } from '../runtime/parent-channel.ts';
import { readWorkerEnv } from '../runtime/worker-env.ts';
import { runWorker } from '../server/worker.ts';

/** A handler that did not listen may keep the process alive: it ends all the same, so long after the drain. */
const LAST_MS = 500;

/** `asynq-operator worker`: runs until a signal, or the end of the process that started it. Resolves to the exit code. */
export async function main(options: { port: number; host?: string }): Promise<number> {
  const log = createLogger();
  using signals = new StopSignals();
  using parent = new ParentChannel(signals.stop);
  let code = 0;
  try {
    const worker = await runWorker(readWorkerEnv(process.env), { ...options, clock: systemClock, log });
    parent.send({ type: 'ready', port: worker.port });
    await aborted(signals.graceful);
    await worker.stop(signals.forceful);
  } catch (error) {
    code = 1;
    log.error(AsynqError.is(error) ? { code: error.code } : { err: error }, errorText(error));
  }
  setTimeout(() => process.exit(code), LAST_MS).unref();
  return code;
}
