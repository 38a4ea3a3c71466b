import { setTimeout as delay } from 'node:timers/promises';
import { errorText } from '../../src/runtime/errors.ts';

export interface UntilOptions {
  /** Milliseconds until it fails. @default 5000 */
  readonly timeout?: number;
  /** Milliseconds between two looks. @default 25 */
  readonly interval?: number;
  /** What is waited for, in the words of the failure. */
  readonly what?: string;
  readonly signal?: AbortSignal;
}

/**
 * Looks again and again until `look` gives something truthy, and gives that back. What `look` throws means "not yet":
 * it becomes the cause of the failure when time runs out, so a wait can simply assert.
 */
export async function until<T>(
  look: () => T | Promise<T>,
  options: UntilOptions = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const { timeout = 5_000, interval = 25, what = 'the expected state', signal } = options;
  const deadline = performance.now() + timeout;
  for (;;) {
    signal?.throwIfAborted();
    let last: unknown;
    let cause: unknown;
    try {
      last = await look();
    } catch (error) {
      cause = error;
    }
    if (last) return last as Exclude<T, false | null | undefined | 0 | ''>;
    if (performance.now() >= deadline) {
      const seen = cause === undefined ? `last seen: ${String(last)}` : `last error: ${errorText(cause)}`;
      throw new Error(`waited ${timeout} ms in vain for ${what}; ${seen}`, { cause });
    }
    await delay(interval, undefined, signal && { signal });
  }
}
