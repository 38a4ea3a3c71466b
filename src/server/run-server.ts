import { aborted, QuietSignal, type SignalSource, StopSignals } from '../runtime/lifecycle.ts';
import type { Handler, HandlerFunction } from './handler.ts';
import type { Server } from './server.ts';

/**
 * Starts a server and serves until the process is told to end (Go's Run): SIGTERM and SIGINT shut it down, a second one
 * waits for no handler; SIGTSTP makes it take no more tasks, and stay. Resolves when it has shut down; the process's own
 * ways with signals are back then.
 *
 * @throws ASYNQ_SERVER_STATE, ASYNQ_CLOSED, ASYNQ_HANDLER_INVALID as `start` does
 */
export async function runServer(
  server: Server,
  handler: Handler | HandlerFunction,
  source: SignalSource = process,
): Promise<void> {
  using signals = new StopSignals(source);
  using quiet = new QuietSignal(source);
  server.start(handler);
  void aborted(quiet.asked).then(() => server.stop());
  await aborted(signals.graceful);
  await server.shutdown({ signal: signals.forceful });
}
