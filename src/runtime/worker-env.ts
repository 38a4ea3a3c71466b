/**
 * What a worker is told, as the environment of its container: written by the operator (and by `dev`), read by the worker
 * runtime, readable by a worker in any language. Names are part of the API.
 */
export interface WorkerEnv {
  readonly redis: {
    readonly mode: 'Cluster' | 'Standalone';
    readonly addrs: readonly string[];
    readonly db: number;
    readonly username?: string;
    readonly password?: string;
    /** Paths of PEM files. */
    readonly tls?: {
      readonly caFile?: string;
      readonly certFile?: string;
      readonly keyFile?: string;
      readonly serverName?: string;
    };
  };
  /** Queue name -> priority. */
  readonly queues: Readonly<Record<string, number>>;
  readonly concurrency: number;
  /** Path of the user's handler module. */
  readonly handlers: string;
  readonly shutdownTimeoutSeconds: number;
  /** Name of the pod: the host name of the server in Redis. */
  readonly podName?: string;
}
