import { Command, type Redis } from 'ioredis';
import type { Clock } from '../runtime/clock.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import { commandBytes } from './command-bytes.ts';
import { classifyReplyError, replyError } from './reply-error.ts';
import type { RedisArg, RedisReply } from './router.ts';

/** Why a command brought no reply: Redis said so, or its connection ended first. */
export type CommandFailure =
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'lost'; readonly error: AsynqError };

export type OnReply = (failure: CommandFailure | undefined, reply: RedisReply) => void;

/**
 * One connection to one server, from greeting to end; it never reconnects, which its owner does with a new one.
 *
 * The driver is kept to what it is best at, sockets and RESP: no queue of its own, no retries, no pipelining of its own
 * (ioredis loses replies around MOVED), RESP2 (its decoder of RESP3 is young).
 */
export class Connection {
  readonly addr: string;
  /** Resolves when the connection is over, with the reason. */
  readonly ended: Promise<AsynqError>;
  readonly #redis: Redis;
  readonly #clock: Clock;
  #socketError: Error | undefined;

  constructor(addr: string, redis: Redis, clock: Clock) {
    this.addr = addr;
    this.#redis = redis;
    this.#clock = clock;
    redis.on('error', (error: Error) => {
      this.#socketError = error;
    });
    this.ended = new Promise((resolve) => {
      redis.once('end', () => resolve(this.#lost()));
    });
  }

  get isOpen(): boolean {
    return this.#redis.status === 'ready';
  }

  async open(): Promise<void> {
    try {
      await this.#redis.connect();
    } catch (error) {
      throw unreachable(this.addr, this.#socketError ?? error);
    }
  }

  /** Commands that `write` issues leave in one write. */
  together(write: () => void): void {
    const { stream } = this.#redis;
    stream.cork();
    try {
      write();
    } finally {
      stream.uncork();
    }
  }

  /** Sends a command, written by `commandBytes`, at once; `onReply` is called exactly once, in the order of the commands. */
  call(name: string, bytes: Buffer, onReply: OnReply): void {
    const command = new WrittenCommand(name, bytes, (error, reply) => {
      if (error) onReply(this.#failure(error), null);
      else onReply(undefined, reply as RedisReply);
    });
    void this.#redis.sendCommand(command);
  }

  /** One command that is waited for; a server that leaves it unanswered for `timeout` milliseconds loses the connection. */
  async request(name: string, args: readonly RedisArg[], timeout: number): Promise<RedisReply> {
    const bytes = commandBytes(name, args);
    const answered = new AbortController();
    void this.#closeUnless(answered.signal, timeout);
    try {
      return await new Promise<RedisReply>((resolve, reject) => {
        this.call(name, bytes, (failure, reply) => {
          if (failure === undefined) resolve(reply);
          else reject(failure.kind === 'lost' ? failure.error : this.#refused(name, failure.text));
        });
      });
    } finally {
      answered.abort();
    }
  }

  /** Once subscribed, a connection serves nothing but its subscriptions and PING. */
  async subscribe(channel: string, onMessage: (message: string) => void, timeout: number): Promise<void> {
    this.#redis.on('message', (from: string, message: string) => {
      if (from === channel) onMessage(message);
    });
    await this.request('subscribe', [channel], timeout);
  }

  /** Ends the connection now; commands without a reply fail as lost, for the reason given. */
  close(why?: Error): void {
    this.#socketError ??= why;
    if (this.#redis.status === 'end') return;
    this.#redis.disconnect();
    this.#redis.stream?.destroy(); // a server that hangs would keep a polite end waiting
  }

  async #closeUnless(answered: AbortSignal, timeout: number): Promise<void> {
    await this.#clock.sleep(timeout, answered);
    if (!answered.aborted) this.close(new Error(`no answer within ${timeout} ms`));
  }

  #failure(error: Error): CommandFailure {
    return error.name === 'ReplyError'
      ? { kind: 'refused', text: error.message }
      : { kind: 'lost', error: this.#lost() };
  }

  /** Names the command, not its arguments: payloads, or a password. */
  #refused(command: string, text: string): AsynqError {
    const refusal = classifyReplyError(text, this.addr);
    const code = refusal.kind === 'final' ? refusal.code : 'ASYNQ_REDIS_COMMAND';
    return replyError(code, command, this.addr, text);
  }

  #lost(): AsynqError {
    return unreachable(this.addr, this.#socketError ?? new Error('the connection ended'));
  }
}

/** A command whose bytes are there: the driver keeps its place in line, and knows nothing of its arguments. */
class WrittenCommand extends Command {
  readonly #bytes: Buffer;

  constructor(name: string, bytes: Buffer, onReply: (error?: Error | null, reply?: unknown) => void) {
    super(name, [], { replyEncoding: null }, onReply);
    this.#bytes = bytes;
  }

  override toWritable(): Buffer {
    return this.#bytes;
  }
}

export function unreachable(addr: string, cause: unknown): AsynqError {
  // A name with several addresses fails with one error for each and no text of its own.
  const causes: unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  return new AsynqError(
    'ASYNQ_REDIS_UNREACHABLE',
    `no connection to Redis at ${addr}: ${causes.map(errorText).join('; ')}`,
    { cause },
  );
}
