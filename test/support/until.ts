import { setTimeout as delay } from 'node:timers/promises';
import { errorText } from '../../src/runtime/errors.ts';

export interface UntilOptions {
  /** Milliseconds until it fails; the machine may be busy. @default 15000 */
  readonly timeout?: number;
  /** Milliseconds between two looks. @default 25 */
  readonly interval?: number;
  /** What is waited for, in the words of the failure. */
  readonly what?: string;
  readonly signal?: AbortSignal;
}

/** What a look gave: a value, an error, or nothing yet. */
type Seen<T> = { readonly value: T } | { readonly error: unknown } | undefined;

/**
 * Looks again and again until `look` gives something truthy, and gives that back. What `look` throws means "not yet":
 * it becomes the cause of the failure when time runs out, so a wait can simply assert. A look that hangs is given up
 * with it.
 */
export async function until<T>(
  look: () => T | Promise<T>,
  options: UntilOptions = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const { timeout = 15_000, interval = 25, what = 'the expected state', signal } = options;
  let late = false;
  const { promise: deadline, resolve: wake } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    late = true;
    wake(undefined);
  }, timeout);
  try {
    for (let last: Seen<T>; ; ) {
      signal?.throwIfAborted();
      const seen = await Promise.race([attempt(look), deadline]);
      last = seen ?? last;
      if (seen !== undefined && 'value' in seen && seen.value) {
        return seen.value as Exclude<T, false | null | undefined | 0 | ''>;
      }
      if (late) throw failure(`waited ${timeout} ms in vain for ${what}`, last);
      await Promise.race([delay(interval, undefined, signal && { signal }), deadline]);
    }
  } finally {
    clearTimeout(timer);
  }
}

async function attempt<T>(look: () => T | Promise<T>): Promise<Seen<T>> {
  try {
    return { value: await look() };
  } catch (error) {
    return { error };
  }
}

function failure<T>(text: string, last: Seen<T>): Error {
  if (last === undefined) return new Error(`${text}; the look at it never returned`);
  if ('value' in last) return new Error(`${text}; last seen: ${String(last.value)}`);
  return new Error(`${text}; last error: ${errorText(last.error)}`, { cause: last.error });
}
