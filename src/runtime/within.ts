import type { Clock } from './clock.ts';

/** Waits for `work`, but not longer than that, nor beyond `cut`; leaves no timer behind. Rejects when `work` does in time. */
export async function within(
  ms: number,
  work: Promise<unknown>,
  clock: Clock,
  cut?: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const ended = work.finally(() => over.abort());
  const enough = cut === undefined ? over.signal : AbortSignal.any([over.signal, cut]);
  await Promise.race([ended, clock.sleep(ms, enough)]);
}
