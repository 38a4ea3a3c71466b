import { type Backoff, fullJitterMs } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Random } from '../runtime/random.ts';
import type { Connection } from './connection.ts';

const RESUBSCRIBE: Backoff = { baseMs: 100, capMs: 5_000 };

/** A quiet channel and a dead connection look alike: ask this often, and wait so long for the answer. */
const PING_EVERY_MS = 15_000;
const ANSWER_WITHIN_MS = 5_000;

const COMMON_TROUBLE = [
  'ASYNQ_REDIS_UNREACHABLE',
  'ASYNQ_REDIS_AUTH',
  'ASYNQ_REDIS_NOT_A_CLUSTER',
  'ASYNQ_REDIS_VERSION',
] as const;

/**
 * One channel over a connection of its own, which a subscription makes useless for anything else; a lost connection is
 * replaced, on another node if need be. Messages published while there is none are missed: that is pub/sub.
 *
 * States: connecting -> subscribed -> connecting ...; over when the signal aborts.
 */
export class Subscription {
  /** Resolves when the channel is subscribed for the first time, or the signal aborted before. */
  readonly standing: Promise<void>;
  readonly #parts: SubscriptionParts;
  #stand: () => void = () => {};

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
    this.standing = new Promise((resolve) => {
      this.#stand = resolve;
    });
  }

  /** Resolves when the signal has aborted and the connection is gone. */
  async run(): Promise<void> {
    const { channel, clock, random, signal, log } = this.#parts;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const connection = await this.#subscribe();
        failures = 0;
        const why = await this.#end(connection);
        if (!signal.aborted) log.warn({ channel, err: why }, 'subscription lost');
      } catch (error) {
        if (failures === 0 && !signal.aborted) this.#report(error);
      }
      failures++;
      await clock.sleep(fullJitterMs(failures, RESUBSCRIBE, random), signal);
    }
    this.#stand();
  }

  async #subscribe(): Promise<Connection> {
    const { channel, connect, signal } = this.#parts;
    const connection = await connect(signal);
    try {
      await connection.subscribe(channel, (message) => this.#tell(message), ANSWER_WITHIN_MS);
    } catch (error) {
      connection.close();
      throw error;
    }
    this.#stand();
    return connection;
  }

  /** That there is no Redis for us is told by those who ask more of it. */
  #report(err: unknown): void {
    const { channel, log } = this.#parts;
    const level = COMMON_TROUBLE.some((code) => AsynqError.is(err, code)) ? 'debug' : 'warn';
    log[level]({ channel, err }, 'cannot subscribe');
  }

  /** A listener that throws is not the connection's fault. */
  #tell(message: string): void {
    try {
      this.#parts.onMessage(message);
    } catch (error) {
      this.#parts.log.error(
        { channel: this.#parts.channel, err: error },
        'a listener of a subscription threw',
      );
    }
  }

  async #end(connection: Connection): Promise<AsynqError> {
    const { signal } = this.#parts;
    const over = new AbortController();
    const close = () => connection.close();
    signal.addEventListener('abort', close, { once: true });
    if (signal.aborted) close();
    void this.#keepAsking(connection, over.signal);
    const why = await connection.ended;
    signal.removeEventListener('abort', close);
    over.abort();
    return why;
  }

  async #keepAsking(connection: Connection, over: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!over.aborted) {
      await clock.sleep(PING_EVERY_MS, over);
      if (!over.aborted) await connection.request('ping', [], ANSWER_WITHIN_MS).catch(() => {});
    }
  }
}

export interface SubscriptionParts {
  readonly channel: string;
  readonly onMessage: (message: string) => void;
  /** A new connection to some node that is there. */
  readonly connect: (signal: AbortSignal) => Promise<Connection>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}
