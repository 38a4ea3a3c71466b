import type { Clock } from '../runtime/clock.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import type { Call } from './call.ts';
import { commandBytes } from './command-bytes.ts';
import type { CommandFailure, Connection, OnReply } from './connection.ts';
import { classifyReplyError, type Refusal } from './reply-error.ts';
import type { RedisReply, Script } from './router.ts';

/** A connection on which replies are due and none comes is looked at this often. */
const WATCH_MS = 1_000;

/** Looks in a row without a reply after which the server counts as gone. */
const SILENT_LOOKS = 5;

/** A script that is flushed faster than it can be loaded is not ours to mend. */
const MAX_LESSONS = 5;

const ASKING = commandBytes('ASKING', []);

export interface SessionEvents {
  onReply(call: Call, reply: RedisReply): void;
  /** Redis refused the call, in a way that the session cannot deal with. */
  onRefused(call: Call, refusal: Exclude<Refusal, { kind: 'noscript' }>, text: string): void;
  /** The connection ended before the reply: whether the call took effect is not known. */
  onLost(call: Call, error: AsynqError): void;
  /** Nothing of the call was written: its caller gave it what cannot be. */
  onUnwritable(call: Call, error: AsynqError): void;
  /** To be written again, as it is. */
  onResend(call: Call): void;
  /** Replies are due and for a while none came. */
  onSilent(): void;
}

/**
 * Calls over one connection: the scripts that this server has been taught, the replies that are due.
 *
 * A script travels ahead of its first call, in the same write, so that a fresh server costs no extra round trip; a
 * server that forgot it (SCRIPT FLUSH) is taught again.
 */
export class Session {
  readonly connection: Connection;
  readonly #clock: Clock;
  readonly #events: SessionEvents;
  readonly #taught = new Set<string>();
  /** Why a script could not be loaded, by its digest. */
  readonly #unloadable = new Map<string, string>();
  #due = 0;
  #replies = 0;
  #watching = false;
  #silentLooks = 0;
  readonly #over = new AbortController();

  constructor(connection: Connection, parts: { clock: Clock; events: SessionEvents }) {
    this.connection = connection;
    this.#clock = parts.clock;
    this.#events = parts.events;
    void connection.ended.then(() => this.#over.abort());
  }

  get isOpen(): boolean {
    return this.connection.isOpen;
  }

  /** Whether replies are due. */
  get isBusy(): boolean {
    return this.#due > 0;
  }

  /** Replies are due, and for a while none came. */
  get isSilent(): boolean {
    return this.#silentLooks > 0;
  }

  /** Whether any reply came yet: a server that takes connections and drops them is no better than none. */
  get hasAnswered(): boolean {
    return this.#replies > 0;
  }

  /** Writes the calls in one go, in order, without those that were settled meanwhile. */
  write(batch: readonly Call[]): void {
    this.connection.together(() => {
      for (const call of batch) if (!call.settled) this.#tryToWrite(call);
    });
    if (!this.#watching && this.#due > 0) void this.#watch();
  }

  /** What a caller got wrong fails its own call, and no other of the batch. */
  #tryToWrite(call: Call): void {
    try {
      this.#write(call);
    } catch (error) {
      this.#events.onUnwritable(call, unwritable(call, error));
    }
  }

  /** All of it is in bytes before the first goes out: a call that cannot be written leaves nothing behind. */
  #write(call: Call): void {
    const { script, replicas } = call;
    const command = commandBytes(call.name, call.args);
    const wait =
      replicas === undefined ? undefined : commandBytes('WAIT', [replicas.count, replicas.timeout]);
    if (script !== undefined && !this.#taught.has(script.sha)) this.#teach(script);
    if (call.asking) this.connection.call('ASKING', ASKING, () => {});
    call.asking = false;
    this.#send(call.name, command, (failure, reply) => {
      if (failure !== undefined) this.#fail(call, failure);
      else if (wait === undefined) this.#events.onReply(call, reply);
      else this.#awaitReplicas(wait, (count) => this.#events.onReply(call, [reply, count]));
    });
  }

  #send(name: string, bytes: Buffer, onReply: OnReply): void {
    this.#due++;
    this.connection.call(name, bytes, (failure, reply) => {
      this.#due--;
      if (failure?.kind !== 'lost') this.#replies++;
      onReply(failure, reply);
    });
  }

  /** How many replicas have it; none, as far as we know, when the connection ends or Redis refuses. */
  #awaitReplicas(wait: Buffer, onCount: (count: number) => void): void {
    this.#send('WAIT', wait, (failure, reply) => {
      onCount(failure === undefined ? Number(reply) : 0);
    });
    if (!this.#watching) void this.#watch();
  }

  #teach({ sha, lua }: Script): void {
    const load = commandBytes('SCRIPT', ['LOAD', lua]);
    this.#taught.add(sha);
    this.connection.call('SCRIPT', load, (failure) => {
      if (failure?.kind === 'refused') this.#unloadable.set(sha, failure.text);
      else this.#unloadable.delete(sha);
    });
  }

  #fail(call: Call, failure: CommandFailure): void {
    if (failure.kind === 'lost') return this.#events.onLost(call, failure.error);
    const refusal = classifyReplyError(failure.text, this.connection.addr);
    if (refusal.kind === 'noscript') this.#teachAgain(call, failure.text);
    else this.#events.onRefused(call, refusal, failure.text);
  }

  #teachAgain(call: Call, text: string): void {
    const sha = call.script?.sha ?? '';
    this.#taught.delete(sha);
    const why = this.#unloadable.get(sha);
    call.lessons++;
    if (why === undefined && call.lessons <= MAX_LESSONS) return this.#events.onResend(call);
    const refusal = classifyReplyError(why ?? text, this.connection.addr);
    this.#events.onRefused(
      call,
      refusal.kind === 'noscript' ? { kind: 'final', code: 'ASYNQ_REDIS_COMMAND' } : refusal,
      why ?? text,
    );
  }

  /** Runs while replies are due. Waits by looks, not by the clock: a loop that was held up has not listened meanwhile. */
  async #watch(): Promise<void> {
    this.#watching = true;
    while (this.#due > 0) {
      const replies = this.#replies;
      await this.#clock.sleep(WATCH_MS, this.#over.signal);
      const isSilent = this.#due > 0 && this.#replies === replies;
      this.#silentLooks = isSilent ? this.#silentLooks + 1 : 0;
      if (this.#over.signal.aborted) break;
      if (isSilent) this.#events.onSilent();
      if (this.#silentLooks === SILENT_LOOKS) this.connection.close(new Error('no answer for too long'));
    }
    this.#watching = false;
  }
}

/** Also for what `argsWhenResent` throws, which is the caller's. */
function unwritable(call: Call, cause: unknown): AsynqError {
  if (AsynqError.is(cause, 'ASYNQ_OPTION_INVALID')) return cause;
  const text = `${call.name}: its arguments cannot be written: ${errorText(cause)}`;
  return new AsynqError('ASYNQ_OPTION_INVALID', text, { cause });
}
