import { aborted, type SignalSource, StopSignals, unlessAborted } from '../runtime/lifecycle.ts';
import type { PeriodicTaskManager } from './periodic-task-manager.ts';
import type { Scheduler } from './scheduler.ts';

/**
 * Starts a scheduler, or a periodic task manager, and lets it work until the process is told to end (Go's Run): SIGTERM
 * and SIGINT shut it down, also while its provider is waited for; a second one waits for no enqueue on its way. The
 * process's own ways with signals are back then.
 *
 * @throws the errors of its `start`
 */
export async function runScheduler(
  scheduler: Scheduler | PeriodicTaskManager,
  source: SignalSource = process,
): Promise<void> {
  using signals = new StopSignals(source);
  await unlessAborted(Promise.resolve(scheduler.start()), signals.graceful);
  await aborted(signals.graceful);
  await Promise.race([scheduler.shutdown(), aborted(signals.forceful)]);
}
