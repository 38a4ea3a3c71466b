import type { AsynqError } from '../runtime/errors.ts';
import type { RedisArg, RedisReply, ReplicaWait, Script } from './router.ts';

/** In place of a slot: any node may serve the call. */
export const ANY_SLOT = -1;

/**
 * One command on its way: written once or, through redirections and broken connections, several times, and settled
 * exactly once. It travels as one object from the caller to the reply; nothing is copied for a second try.
 */
export class Call {
  /** Key slot that says which node serves it, or `ANY_SLOT`. */
  readonly slot: number;
  /** The script that it runs, which the node may have to be taught first. */
  readonly script: Script | undefined;
  readonly name: string;
  /** Milliseconds that the caller waits, and the monotonic time at which that is over. */
  readonly timeout: number;
  readonly deadline: number;
  /** The one node that it is for, if it is for one: not to be sent anywhere else. */
  readonly node: string | undefined;
  /** Replicas to wait for, once it was done. */
  readonly replicas: ReplicaWait | undefined;
  readonly #args: readonly RedisArg[];
  readonly #argsWhenResent: (() => readonly RedisArg[]) | undefined;
  readonly #resolve: (reply: RedisReply) => void;
  readonly #reject: (error: AsynqError) => void;
  #isResent = false;
  settled = false;
  /** The next write goes to a node that only has the slot's keys on loan. */
  asking = false;
  /** Times that a node refused it, and those among them for want of the script. */
  refusals = 0;
  lessons = 0;
  /** What stood in the way last. */
  problem: AsynqError | undefined;

  constructor(fields: {
    slot: number;
    script?: Script | undefined;
    name: string;
    args: readonly RedisArg[];
    timeout: number;
    deadline: number;
    argsWhenResent?: (() => readonly RedisArg[]) | undefined;
    node?: string;
    replicas?: ReplicaWait | undefined;
    resolve: (reply: RedisReply) => void;
    reject: (error: AsynqError) => void;
  }) {
    this.slot = fields.slot;
    this.script = fields.script;
    this.name = fields.name;
    this.#args = fields.args;
    this.timeout = fields.timeout;
    this.deadline = fields.deadline;
    this.node = fields.node;
    this.replicas = fields.replicas;
    this.#argsWhenResent = fields.argsWhenResent;
    this.#resolve = fields.resolve;
    this.#reject = fields.reject;
  }

  /** Asked for at each write: what the caller's function throws then fails that write. */
  get args(): readonly RedisArg[] {
    return (this.#isResent ? this.#argsWhenResent?.() : undefined) ?? this.#args;
  }

  /** Whether it waits for a node that is away: only that one has its slot. */
  get isPatient(): boolean {
    return this.node === undefined && this.slot !== ANY_SLOT;
  }

  /** It was written and brought no reply: from now on it says so, if its caller wanted that. */
  lost(): void {
    this.#isResent = true;
  }

  resolve(reply: RedisReply): void {
    this.settled = true;
    this.#resolve(reply);
  }

  reject(error: AsynqError): void {
    this.settled = true;
    this.#reject(error);
  }
}

/** EVALSHA's arguments. */
export function evalshaArgs(script: Script, keys: readonly string[], args: readonly RedisArg[]): RedisArg[] {
  return [script.sha, keys.length, ...keys, ...args];
}
