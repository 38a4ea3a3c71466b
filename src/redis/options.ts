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
  /** `host:port`. */
  readonly addr: string;
  /** @default 0 */
  readonly db?: number;
}

/** A Redis Cluster (asynq `RedisClusterClientOpt`): any of its nodes, as `host:port`; the rest is found from there. */
export interface RedisClusterClientOpt extends Common {
  readonly addrs: readonly string[];
}

export type RedisConnOpt = RedisClientOpt | RedisClusterClientOpt;
