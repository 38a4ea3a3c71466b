import type { Clock } from './clock.ts';
import { LogThrottle } from './log-throttle.ts';
import type { Logger } from './logger.ts';

export interface PeriodicParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly intervalMs: number;
  readonly firstRun: 'at once' | 'after one interval';
  /** The message that a failed round is logged with; the next round comes as if it had not failed. */
  readonly failure: string;
}

/** Does `work` each interval, counted from the start of one round to the start of the next, until `signal` aborts. */
export async function periodically(
  parts: PeriodicParts,
  work: () => Promise<void> | void,
  signal: AbortSignal,
): Promise<void> {
  const { clock, intervalMs } = parts;
  const throttle = new LogThrottle(clock, parts.log);
  if (parts.firstRun === 'after one interval') await clock.sleep(intervalMs, signal);
  while (!signal.aborted) {
    const start = clock.monotonic();
    try {
      await work();
    } catch (err) {
      throttle.error({ err }, parts.failure);
    }
    await clock.sleep(Math.max(0, start + intervalMs - clock.monotonic()), signal);
  }
}
