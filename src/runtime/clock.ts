/** Time as it is handed to every part that needs it; tests hand in their own. */
export interface Clock {
  /** Wall clock, Unix milliseconds. */
  now(): number;
  /** A clock that never goes backwards, milliseconds since some fixed point. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds, or early (without rejecting) when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Node fires longer timers at once; nothing of ours minds to wake up after three weeks. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The process's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER_MS));
      signal?.addEventListener('abort', done, { once: true });
    }),
};

/** Whole Unix seconds of a time in milliseconds, as Go's `Time.Unix()` cuts it. */
export function unixSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}
