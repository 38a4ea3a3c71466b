/** A reply as RESP2 brings it, bulk strings as bytes: payloads are not text. */
export type RedisReply = Buffer | number | null | RedisReply[];

export type RedisArg = string | number | Uint8Array;

/** A Lua script, loaded once per node and called by its digest. */
export interface Script {
  readonly name: string;
  readonly lua: string;
  readonly sha: string;
}

export interface ClusterNode {
  /** 40 hex digits; on a standalone server its run_id. */
  readonly id: string;
  /** `host:port` as the cluster announces it. */
  readonly addr: string;
}

/** Where a key lives. */
export interface KeyLocation {
  readonly slot: number;
  readonly master: ClusterNode;
  readonly replicas: readonly ClusterNode[];
}

export interface CallOptions {
  /** Milliseconds after which the caller gives up (the command may still take effect). @default 10_000 */
  readonly timeout?: number;
  /**
   * The arguments to use from the second sending on, when a connection broke with the call written and unanswered: it may
   * have taken effect, and a script that is told so does not mistake its own work for another's. @default the same ones
   */
  readonly argsWhenResent?: () => readonly RedisArg[];
  /** The reply is then a list: what the script said, and how many replicas have what it wrote. */
  readonly replicas?: ReplicaWait;
}

/**
 * A wait for replicas (WAIT) behind a script, on its connection, which it holds up for as long as it takes. It covers all
 * that the master had written when it ran the script, so also what the script did before it was sent again.
 */
export interface ReplicaWait {
  readonly count: number;
  /** Milliseconds. */
  readonly timeout: number;
}

/**
 * The way to the master that owns a key. Calls of one turn of the event loop to one master travel in one write, in order;
 * MOVED, ASK, TRYAGAIN, LOADING, NOSCRIPT and a failover are dealt with here, each reply for itself.
 *
 * A call that was written when its connection broke may have taken effect: it is sent again, so scripts must bear being
 * run twice. Failures are AsynqErrors: ASYNQ_REDIS_UNREACHABLE, _AUTH, _NOT_A_CLUSTER, _SLOT_UNSERVED, _VERSION, _COMMAND;
 * ASYNQ_CLOSED once it is closed; ASYNQ_OPTION_INVALID for arguments that are no `RedisArg`.
 */
export interface RedisRouter {
  run(
    script: Script,
    keys: readonly string[],
    args: readonly RedisArg[],
    options?: CallOptions,
  ): Promise<RedisReply>;
  /** A plain command, sent to the owner of `key`; `args` are all its arguments, keys included. */
  command(key: string, name: string, args: readonly RedisArg[], options?: CallOptions): Promise<RedisReply>;
  /**
   * A command that blocks, sent to the owner of `key` over a connection that serves nothing else. It is sent once: no
   * redirection is followed, but the next call goes to where the key is then.
   *
   * @throws ASYNQ_CLOSED when `signal` aborts
   */
  block(
    key: string,
    name: string,
    args: readonly RedisArg[],
    options: { readonly timeout: number; readonly signal: AbortSignal },
  ): Promise<RedisReply>;
  locate(key: string): Promise<KeyLocation>;
  /** All masters as known now. */
  masters(): Promise<readonly ClusterNode[]>;
  /**
   * Plain pub/sub on any node, subscribed again after a reconnect, until `signal` aborts. Resolves when it is subscribed, or
   * the signal has aborted before.
   */
  subscribe(channel: string, onMessage: (message: string) => void, signal: AbortSignal): Promise<void>;
  publish(channel: string, message: string): Promise<void>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
