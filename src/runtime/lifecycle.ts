/** Where signals come from: `process`, or a stand-in. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * The wish to end, however it comes: the first signal asks to stop in good order, a second one not to wait for that.
 * Dispose of it and the process's own ways are back.
 */
export class StopSignals implements Disposable {
  readonly #source: SignalSource;
  readonly #graceful = new AbortController();
  readonly #forceful = new AbortController();

  constructor(source: SignalSource = process) {
    this.#source = source;
    for (const signal of STOP_SIGNALS) source.on(signal, this.stop);
  }

  /** Aborts when the process should stop in good order. */
  get graceful(): AbortSignal {
    return this.#graceful.signal;
  }

  /** Aborts when it should wait for nothing any more. */
  get forceful(): AbortSignal {
    return this.#forceful.signal;
  }

  /** What a signal does, for other ways to be told. */
  readonly stop = (): void => {
    if (this.#graceful.signal.aborted) this.#forceful.abort();
    else this.#graceful.abort();
  };

  [Symbol.dispose](): void {
    for (const signal of STOP_SIGNALS) this.#source.off(signal, this.stop);
  }
}

/** The wish to take on nothing more, and to stay: SIGTSTP, which would suspend the process else. */
export class QuietSignal implements Disposable {
  readonly #source: SignalSource;
  readonly #asked = new AbortController();

  constructor(source: SignalSource = process) {
    this.#source = source;
    source.on('SIGTSTP', this.#ask);
  }

  get asked(): AbortSignal {
    return this.#asked.signal;
  }

  [Symbol.dispose](): void {
    this.#source.off('SIGTSTP', this.#ask);
  }

  readonly #ask = (): void => this.#asked.abort();
}

/** What `work` brings, or undefined as soon as `signal` aborts; leaves no listener behind. */
export async function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  if (signal === undefined) return await work;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stop = () => resolve(undefined);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
