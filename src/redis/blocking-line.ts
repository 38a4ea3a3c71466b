import { AsynqError } from '../runtime/errors.ts';
import type { Connection } from './connection.ts';
import type { RedisArg, RedisReply } from './router.ts';

export interface BlockingLineParts {
  /** `host:port` of the node that serves the key now. */
  readonly owner: () => Promise<string>;
  readonly dial: (addr: string, signal: AbortSignal) => Promise<Connection>;
  /** The node refused or went away: perhaps another serves the key now. */
  readonly onTrouble: () => void;
}

/**
 * A connection for commands that block, one at a time: whatever else were sent over it would wait with them. It follows
 * its key from node to node; nothing is sent twice, since whoever waits asks again anyway.
 *
 * States: idle -> connecting -> blocked -> idle, with or without a connection: a call that fails or is given up costs it.
 */
export class BlockingLine {
  readonly #parts: BlockingLineParts;
  readonly #closed = new AbortController();
  #connection: Connection | undefined;

  constructor(parts: BlockingLineParts) {
    this.#parts = parts;
  }

  /** @throws ASYNQ_REDIS_*; ASYNQ_CLOSED when `signal` aborts or the line is closed meanwhile */
  async call(
    name: string,
    args: readonly RedisArg[],
    timeout: number,
    signal: AbortSignal,
  ): Promise<RedisReply> {
    const end = AbortSignal.any([signal, this.#closed.signal]);
    const abort = () => this.#connection?.close();
    end.addEventListener('abort', abort, { once: true });
    try {
      end.throwIfAborted();
      const connection = await this.#connected(end);
      // The end may have come in the moment in which the connection was made.
      end.throwIfAborted();
      return await connection.request(name, args, timeout);
    } catch (error) {
      this.#connection?.close();
      if (end.aborted) throw new AsynqError('ASYNQ_CLOSED', `${name} was given up`);
      this.#parts.onTrouble();
      throw error;
    } finally {
      end.removeEventListener('abort', abort);
    }
  }

  /** Harmless when done before. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#connection?.close();
    await this.#connection?.ended;
  }

  async #connected(signal: AbortSignal): Promise<Connection> {
    const addr = await this.#parts.owner();
    if (this.#connection?.isOpen === true && this.#connection.addr === addr) return this.#connection;
    this.#connection?.close();
    this.#connection = await this.#parts.dial(addr, signal);
    return this.#connection;
  }
}
