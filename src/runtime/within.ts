import type { Clock } from './clock.ts';

/** Waits for `work`, but not longer than that; leaves no timer behind. Rejects when `work` does in time. */
export async function within(ms: number, work: Promise<unknown>, clock: Clock): Promise<void> {
  const over = new AbortController();
  const ended = work.finally(() => over.abort());
  await Promise.race([ended, clock.sleep(ms, over.signal)]);
}
