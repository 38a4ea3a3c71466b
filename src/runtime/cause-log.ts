import type { Clock } from './clock.ts';
import { isRemote } from './errors.ts';
import type { Logger } from './logger.ts';

/** The same cause is told again so much later, with the number of times that it was not. */
const AGAIN_MS = 30_000;

/** More causes than a Redis Cluster has nodes are remembered no longer. */
const MOST_CAUSES = 1_000;

/**
 * A log for the many parts that one Redis serves: when it is away or refuses them, the first to notice says so, and the
 * others need not. Good news makes it forget: what fails after that is news. That our own connection was closed is none.
 */
export function oncePerCause(log: Logger, clock: Clock): Logger {
  return sifted(log, new Causes(clock));
}

function sifted(log: Logger, causes: Causes): Logger {
  const told = (level: 'warn' | 'error') => (fields: object, message: string) => {
    const err: unknown = 'err' in fields ? fields.err : undefined;
    if (!isRemote(err)) return log[level](fields, message);
    if (err.code === 'ASYNQ_CLOSED') return log.debug(fields, message);
    const unsaid = causes.meet(`${err.code} ${err.message}`);
    if (unsaid !== undefined) log[level](unsaid === 0 ? fields : { ...fields, unsaid }, message);
  };
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => {
      causes.forget();
      log.info(fields, message);
    },
    warn: told('warn'),
    error: told('error'),
    child: (fields) => sifted(log.child(fields), causes),
  };
}

class Causes {
  readonly #clock: Clock;
  readonly #met = new Map<string, { readonly saidAt: number; unsaid: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How often it was kept back since it was said last, if it is to be said now. */
  meet(cause: string): number | undefined {
    const now = this.#clock.monotonic();
    const known = this.#met.get(cause);
    if (known !== undefined && now - known.saidAt < AGAIN_MS) {
      known.unsaid++;
      return undefined;
    }
    if (this.#met.size >= MOST_CAUSES) this.#met.clear();
    this.#met.set(cause, { saidAt: now, unsaid: 0 });
    return known?.unsaid ?? 0;
  }

  forget(): void {
    this.#met.clear();
  }
}
