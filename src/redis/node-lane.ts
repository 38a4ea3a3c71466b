import { type Backoff, fullJitterMs } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Random } from '../runtime/random.ts';
import type { Call } from './call.ts';
import type { Connection } from './connection.ts';
import type { Refusal } from './reply-error.ts';
import type { RedisReply } from './router.ts';
import { Session } from './session.ts';

const RECONNECT: Backoff = { baseMs: 50, capMs: 1_000 };

export interface LaneEvents {
  onReply(call: Call, reply: RedisReply): void;
  onRefused(lane: NodeLane, call: Call, refusal: Exclude<Refusal, { kind: 'noscript' }>, text: string): void;
  /** The lane cannot serve the call: it was closed, the call does not wait for a connection, or it cannot be written. */
  onReturned(lane: NodeLane, call: Call, error: AsynqError): void;
  /** The node is away (a connection broke or cannot be had) or silent: perhaps another has its slots now. */
  onTrouble(lane: NodeLane): void;
}

/**
 * The way to one node: one connection at a time, on which all that is sent in one turn of the event loop leaves in one
 * write. Batching costs a call the rest of its turn and saves a system call, a packet and a wake-up of the server each.
 *
 * States: idle (no connection, nothing to send) -> connecting -> ready -> idle | connecting when the connection ends;
 * closed. Calls wait through connecting, and those without a reply are written again after it, until their deadline.
 */
export class NodeLane {
  readonly addr: string;
  readonly #dial: (signal: AbortSignal) => Promise<Connection>;
  readonly #events: LaneEvents;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #closed = new AbortController();
  #session: Session | undefined;
  #waiting: Call[] = [];
  /** Runs while there is no connection and calls want one. */
  #connecting: Promise<void> | undefined;
  #flushing = false;
  #failures = 0;
  #problem: AsynqError | undefined;

  constructor(
    addr: string,
    parts: {
      dial: (signal: AbortSignal) => Promise<Connection>;
      events: LaneEvents;
      clock: Clock;
      random: Random;
      log: Logger;
    },
  ) {
    this.addr = addr;
    this.#dial = parts.dial;
    this.#events = parts.events;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#log = parts.log;
  }

  /** Whether there is a connection, and replies come when they are due. */
  get isWell(): boolean {
    return this.#isConnected && this.#session?.isSilent === false;
  }

  /** Whether calls are on their way to a node that answers: they will come back by themselves. */
  get isServing(): boolean {
    return this.isWell && this.#session?.isBusy === true;
  }

  /** Why there is no connection; undefined while there is one, or none was tried. */
  get problem(): AsynqError | undefined {
    return this.#problem;
  }

  send(call: Call): void {
    if (this.#closed.signal.aborted) return this.#events.onReturned(this, call, this.#gone());
    this.#waiting.push(call);
    if (this.#flushing || this.#connecting !== undefined) return;
    if (this.#isConnected) this.#flushSoon();
    else this.#connectSoon();
  }

  /** Drops the connection for a new one; what has no reply yet is written again. */
  reconnect(why: AsynqError): void {
    this.#session?.connection.close(why);
  }

  /** Gives back every call, and resolves when the connection is gone; harmless when done before. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#session?.connection.close();
    for (const call of this.#takeWaiting()) this.#events.onReturned(this, call, this.#gone());
    await this.#connecting;
    await this.#session?.connection.ended;
  }

  get #isConnected(): boolean {
    return this.#session?.isOpen === true;
  }

  #flushSoon(): void {
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      if (this.#session?.isOpen === true) this.#session.write(this.#takeWaiting());
      else this.#connectSoon();
    });
  }

  #connectSoon(): void {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
      if (this.#isConnected && this.#waiting.length > 0) this.#flushSoon();
    });
  }

  async #connect(): Promise<void> {
    while (this.#isWanted()) {
      await this.#clock.sleep(fullJitterMs(this.#failures, RECONNECT, this.#random), this.#closed.signal);
      if (!this.#isWanted()) break;
      try {
        this.#begin(await this.#dial(this.#closed.signal));
        break;
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #isWanted(): boolean {
    this.#waiting = this.#waiting.filter((call) => !call.settled);
    return this.#waiting.length > 0 && !this.#closed.signal.aborted;
  }

  #begin(connection: Connection): void {
    const session = new Session(connection, {
      clock: this.#clock,
      events: {
        onReply: (call, reply) => this.#events.onReply(call, reply),
        onRefused: (call, refusal, text) => this.#events.onRefused(this, call, refusal, text),
        onLost: (call, error) => this.#lost(call, error),
        onUnwritable: (call, error) => this.#events.onReturned(this, call, error),
        onResend: (call) => this.send(call),
        onSilent: () => this.#events.onTrouble(this),
      },
    });
    if (this.#problem !== undefined) this.#log.info({ node: this.addr }, 'connected to Redis again');
    this.#problem = undefined;
    this.#session = session;
    void connection.ended.then((why) => this.#ended(session, why));
  }

  #failed(error: unknown): void {
    if (this.#closed.signal.aborted) return;
    const problem = AsynqError.is(error) ? error : this.#gone(error);
    this.#failures++;
    this.#away(problem);
    const mayReturn = isPassing(problem);
    for (const call of this.#takeWaiting()) {
      if (mayReturn && call.isPatient) this.#waiting.push(call);
      else this.#events.onReturned(this, call, problem);
    }
  }

  #ended(session: Session, why: AsynqError): void {
    this.#failures = session.hasAnswered ? 0 : this.#failures + 1;
    if (this.#closed.signal.aborted) return;
    // A server may end what has been idle for long: nothing is amiss until somebody wants it.
    if (session.isBusy || this.#waiting.length > 0) this.#away(why);
  }

  #away(why: AsynqError): void {
    if (this.#problem === undefined) this.#log.warn({ node: this.addr, err: why }, 'no connection to Redis');
    this.#problem = why;
    this.#events.onTrouble(this);
  }

  #lost(call: Call, error: AsynqError): void {
    if (call.settled) return;
    call.lost();
    if (!call.isPatient || this.#closed.signal.aborted) this.#events.onReturned(this, call, error);
    else this.send(call);
  }

  #takeWaiting(): Call[] {
    const calls = this.#waiting;
    this.#waiting = [];
    return calls;
  }

  #gone(cause?: unknown): AsynqError {
    return new AsynqError('ASYNQ_REDIS_UNREACHABLE', `the connection to ${this.addr} was given up`, {
      cause,
    });
  }
}

/** Whether waiting may help: a wrong password stays wrong, a server that is down may come back. */
export function isPassing(error: AsynqError): boolean {
  return error.code === 'ASYNQ_REDIS_UNREACHABLE';
}
