import type { Clock } from '../runtime/clock.ts';

/**
 * A signal that aborts when `parent` does, or with `late()` after `ms` milliseconds of `clock`: `AbortSignal.timeout`
 * with a clock that tests can turn. Dispose of it when the work is done; then it never aborts.
 */
export class Deadline implements Disposable {
  readonly signal: AbortSignal;
  readonly #clock: Clock;
  readonly #at: number;
  readonly #over = new AbortController();

  constructor(clock: Clock, ms: number, parent: AbortSignal | undefined, late: () => Error) {
    const abort = new AbortController();
    this.signal = abort.signal;
    this.#clock = clock;
    this.#at = clock.monotonic() + ms;
    if (parent?.aborted) {
      abort.abort(parent.reason);
      return;
    }
    parent?.addEventListener('abort', () => abort.abort(parent.reason), {
      once: true,
      signal: this.#over.signal,
    });
    void this.#abortAfter(ms, abort, late);
  }

  /** Milliseconds left; negative when it is over. */
  get leftMs(): number {
    return this.#at - this.#clock.monotonic();
  }

  async #abortAfter(ms: number, abort: AbortController, late: () => Error): Promise<void> {
    await this.#clock.sleep(ms, this.#over.signal);
    if (!this.#over.signal.aborted) abort.abort(late());
  }

  [Symbol.dispose](): void {
    this.#over.abort();
  }
}

/**
 * `promise`, or a rejection with the signal's reason when that comes first. The promise goes on unheard: for work that
 * takes no signal.
 */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => {});
    return Promise.reject(signal.reason as Error);
  }
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
