import type { Clock } from '../runtime/clock.ts';
import { errorText } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { KubeClient } from './api.ts';
import { LeaseLock } from './lease-lock.ts';

/** client-go's: candidates spread their attempts over this much more than the retry period. */
const JITTER = 1.2;
/** Those who wait for the same expiry do not all try in the same moment. */
const EXPIRY_JITTER_MS = 500;

export interface LeaderElectorOptions {
  readonly client: KubeClient;
  /** Of the Lease. */
  readonly namespace: string;
  readonly name: string;
  /** Unique for each process, always: two with the same one would both lead. */
  readonly identity: string;
  /** How long others must see no sign of life until they take over, milliseconds. @default 15000 */
  readonly leaseMs?: number;
  /** How long a leader leads without a renewal; the rest of `leaseMs` is what a request on its way may take. @default 10000 */
  readonly renewDeadlineMs?: number;
  /** Between two attempts; candidates wait up to 2.2 times as long. @default 2000 */
  readonly retryMs?: number;
}

/** The time during which a process is the leader. */
export interface Leadership {
  /** Aborts when the lease was lost, not when it is released: stop at once, somebody else may lead. */
  readonly lost: AbortSignal;
  /**
   * The gate before every write: true only within the renew deadline of the last renewal, by a clock that runs on while
   * the event loop stands still. A process that was frozen and wakes up writes nothing, even before `lost` aborts.
   */
  isLeader(): boolean;
  /** Hands the lease over: others may take it at once. Stop all work first. Idempotent, never rejects. */
  release(): Promise<void>;
}

/**
 * Chooses one of many processes by a Lease, with client-go's times (15/10/2 s) and rules.
 *
 * States: Idle -> Following (`acquire` was called) -> Leading -> Idle (released or lost). A lease counts as abandoned
 * when we saw no change in it for its duration, by our own monotonic clock: wall clocks may differ by hours. Needs the
 * verbs `get`, `create` and `patch` on leases.
 */
export class LeaderElector {
  readonly #client: KubeClient;
  readonly #lock: LeaseLock;
  readonly #name: string;
  readonly #times: { readonly renewDeadlineMs: number; readonly retryMs: number };
  readonly #log: Logger;
  #state: 'Idle' | 'Following' | 'Leading' = 'Idle';

  constructor(options: LeaderElectorOptions) {
    const { client, namespace, name, identity } = options;
    const { leaseMs = 15_000, renewDeadlineMs = 10_000, retryMs = 2_000 } = options;
    if (!(leaseMs > renewDeadlineMs && renewDeadlineMs > retryMs * JITTER && retryMs > 0)) {
      throw new RangeError(
        `expected leaseMs > renewDeadlineMs > ${JITTER} x retryMs > 0, got ${leaseMs}, ${renewDeadlineMs}, ${retryMs}`,
      );
    }
    this.#client = client;
    this.#name = `${namespace}/${name}`;
    this.#lock = new LeaseLock({ client, lease: { namespace, name }, identity, leaseMs });
    this.#times = { renewDeadlineMs, retryMs };
    this.#log = client.log.child({ lease: this.#name, identity });
  }

  get state(): 'Idle' | 'Following' | 'Leading' {
    return this.#state;
  }

  /** Who holds the lease, as last seen; '' nobody, undefined not seen yet. */
  get holder(): string | undefined {
    return this.#lock.holder;
  }

  /** Waits until this process leads, through any failure; undefined when `signal` aborts first. */
  async acquire(signal: AbortSignal): Promise<Leadership | undefined> {
    if (this.#state !== 'Idle') throw new Error(`expected the elector to be Idle, it is ${this.#state}`);
    this.#state = 'Following';
    const { clock } = this.#client;
    while (!signal.aborted) {
      const begun = clock.monotonic();
      // The signal does not cut an attempt, for then nobody would know whether the lease is ours.
      if (await this.#tryHold()) {
        const term = this.#lead(begun);
        if (!signal.aborted) return term;
        await term.release();
        return undefined;
      }
      await clock.sleep(this.#waitMs(), signal);
    }
    this.#state = 'Idle';
    return undefined;
  }

  async #tryHold(): Promise<boolean> {
    try {
      return await this.#lock.hold(this.#times.renewDeadlineMs / 2);
    } catch (error) {
      this.#log.warn({ err: error }, 'cannot reach the lease, trying again');
      return false;
    }
  }

  #waitMs(): number {
    const { random } = this.#client;
    const spread = this.#times.retryMs * (1 + JITTER * random());
    const heldForMs = this.#lock.heldForMs();
    return heldForMs === 0 ? spread : Math.min(spread, heldForMs + EXPIRY_JITTER_MS * random());
  }

  #lead(renewedAt: number): Leadership {
    this.#enterLeading(true);
    return new Term({
      lock: this.#lock,
      clock: this.#client.clock,
      log: this.#log,
      ...this.#times,
      renewedAt,
      ended: () => this.#enterLeading(false),
    });
  }

  #enterLeading(leading: boolean): void {
    this.#state = leading ? 'Leading' : 'Idle';
    this.#client.observer.leading({ lease: this.#name, leading });
    this.#log.info({ leading }, leading ? 'became the leader' : 'is the leader no more');
  }
}

interface TermParts {
  readonly lock: LeaseLock;
  readonly clock: Clock;
  readonly log: Logger;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
  /** Monotonic time just before the request that gave us the lease was sent. */
  readonly renewedAt: number;
  readonly ended: () => void;
}

/** Renews until it is released or lost; what is counted is when a renewal was sent, not when its answer came. */
class Term implements Leadership {
  readonly #parts: TermParts;
  readonly #lost = new AbortController();
  readonly #released = new AbortController();
  readonly #renewing: Promise<void>;
  #renewedAt: number;
  #release: Promise<void> | undefined;

  constructor(parts: TermParts) {
    this.#parts = parts;
    this.#renewedAt = parts.renewedAt;
    this.#renewing = this.#keepRenewing();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  isLeader(): boolean {
    return !this.#lost.signal.aborted && !this.#released.signal.aborted && this.#leftMs() > 0;
  }

  release(): Promise<void> {
    this.#release ??= this.#handOver();
    return this.#release;
  }

  async #handOver(): Promise<void> {
    const { lock, log, ended, renewDeadlineMs } = this.#parts;
    this.#released.abort();
    await this.#renewing;
    if (this.#lost.signal.aborted) return;
    try {
      await lock.release(renewDeadlineMs / 2);
    } catch (error) {
      log.warn({ err: error }, 'cannot release the lease: others take over when it expires');
    }
    ended();
  }

  async #keepRenewing(): Promise<void> {
    const { clock, retryMs } = this.#parts;
    const { signal } = this.#released;
    while (!signal.aborted) {
      await clock.sleep(Math.min(retryMs, Math.max(0, this.#leftMs())), signal);
      if (signal.aborted) return;
      const reason = await this.#renew();
      if (reason !== undefined) return this.#lose(reason);
    }
  }

  /** Why the lease is lost; undefined: it is not. */
  async #renew(): Promise<string | undefined> {
    const { lock, clock, log, renewDeadlineMs } = this.#parts;
    const leftMs = this.#leftMs();
    if (leftMs <= 0) return `not renewed for ${renewDeadlineMs} ms`;
    const begun = clock.monotonic();
    try {
      if (!(await lock.hold(Math.min(leftMs, renewDeadlineMs / 2)))) return `taken by ${lock.holder}`;
      this.#renewedAt = begun;
    } catch (error) {
      log.warn({ err: error, leftMs: this.#leftMs() }, `cannot renew the lease: ${errorText(error)}`);
    }
    return undefined;
  }

  #lose(reason: string): void {
    this.#lost.abort(new Error(`the leadership was lost: ${reason}`));
    this.#parts.log.error({ reason }, 'lost the lease');
    this.#parts.ended();
  }

  #leftMs(): number {
    return this.#renewedAt + this.#parts.renewDeadlineMs - this.#parts.clock.monotonic();
  }
}
