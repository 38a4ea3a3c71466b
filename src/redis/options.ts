/** TLS towards Redis; file contents, not paths. */
export interface TlsOptions {
  /** PEM of the certificate authorities to trust; absent: the system's. */
  readonly ca?: string;
  /** PEM of the client's certificate and key, for servers that ask for one. */
  readonly cert?: string;
  readonly key?: string;
  /** Name that the server's certificate must carry; absent: the host that was dialled. */
  readonly serverName?: string;
  /** Accept whatever certificate the server shows. @default false */
  readonly insecure?: boolean;
}

interface Common {
  readonly username?: string;
  readonly password?: string;
  readonly tls?: TlsOptions;
  /** Milliseconds to wait for a connection. @default 5000, as Go's DialTimeout */
  readonly dialTimeout?: number;
}

/** One Redis server (asynq `RedisClientOpt`). */
export interface RedisClientOpt extends Common {
  /** `unix`: over a socket of this machine. @default 'tcp' */
  readonly network?: 'tcp' | 'unix';
  /** `host:port`, or the path of the socket. */
  readonly addr: string;
  /** @default 0 */
  readonly db?: number;
}

/** A Redis Cluster (asynq `RedisClusterClientOpt`): any of its nodes, as `host:port`; the rest is found from there. */
export interface RedisClusterClientOpt extends Common {
  readonly addrs: readonly string[];
}

/** The master of a set of Redis servers that sentinels watch over (asynq `RedisFailoverClientOpt`). */
export interface RedisFailoverClientOpt extends Common {
  /** What the sentinels call it. */
  readonly masterName: string;
  /** `host:port` of the sentinels; one that answers is enough. */
  readonly sentinelAddrs: readonly string[];
  /** Of the sentinels; `username` and `password` are the master's. */
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** @default 0 */
  readonly db?: number;
}

export type RedisConnOpt = RedisClientOpt | RedisClusterClientOpt | RedisFailoverClientOpt;
