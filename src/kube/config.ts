import type * as clientNode from '@kubernetes/client-node';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import type * as running from './client-node.ts';
import { ConnectionPools, type Pools } from './connection-pools.ts';
import { Deadline, orAborted } from './deadline.ts';
import { KubeError } from './kube-error.ts';

/** An exec plugin may open a browser for somebody to log in; longer than this it hangs. */
const AUTH_TIMEOUT_MS = 60_000;
/** A refused token is read anew, but a server that refuses everything must not make us run the plugin in a loop. */
const REFRESH_AT_MOST_EACH_MS = 10_000;

export interface KubeConfigOptions {
  /** Path of a kubeconfig. @default what kubectl would use ($KUBECONFIG, ~/.kube/config), else the pod's ServiceAccount */
  readonly path?: string;
  /** @default the kubeconfig's current context */
  readonly context?: string;
  readonly clock?: Clock;
}

/** What one request needs to reach the API server and be known to it. */
export interface KubeConnection extends Pools {
  /** URL, without a slash at its end. */
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where connections come from. */
export interface KubeCredentials {
  /** Namespace of the context (in a pod: the pod's own); `default` when it names none. */
  readonly namespace: string;
  /** The way to the API server as it is now: files that rotate are read again, tokens that ran out fetched again. */
  connect(): Promise<KubeConnection>;
  /** The API server refused our credentials: forget the cached ones before the next `connect`. */
  refresh(): void;
  /** Cuts all connections. Idempotent. */
  close(): Promise<void>;
}

type ClientNode = typeof running;

/**
 * Reads a kubeconfig, or the ServiceAccount of the pod. Everything about authentication (exec plugins, OIDC, tokens in
 * files, client certificates) is client-node's; it is imported on the first call, since that takes its time.
 *
 * @throws AsynqError ASYNQ_KUBE_CONFIG: no configuration, an unreadable one, or no such context.
 */
export async function loadKubeConfig(options: KubeConfigOptions = {}): Promise<KubeCredentials> {
  const lib = await import('./client-node.ts');
  return new ClientNodeCredentials(lib, () => read(lib, options), options.clock ?? systemClock);
}

function read(lib: ClientNode, { path, context }: KubeConfigOptions): clientNode.KubeConfig {
  const config = new lib.KubeConfig();
  try {
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
  } catch (error) {
    throw configError(`${path ?? 'kubeconfig'}: ${errorText(error)}`, error);
  }
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    const names = config.getContexts().map((it) => it.name);
    throw configError(
      `expected the context to be one of ${names.join(', ') || '(none)'}, got ${config.getCurrentContext() || 'none'}`,
    );
  }
  // What client-node makes up when it found nothing at all.
  if (path === undefined && config.getCurrentContext() === 'loaded-context') {
    throw configError(
      'expected $KUBECONFIG, ~/.kube/config or the ServiceAccount of a pod, found none of them',
    );
  }
  return config;
}

function configError(message: string, cause?: unknown): AsynqError {
  return new AsynqError('ASYNQ_KUBE_CONFIG', message, { cause });
}

/** client-node for who we are, our own pools for how to get there. */
class ClientNodeCredentials implements KubeCredentials {
  readonly #lib: ClientNode;
  readonly #load: () => clientNode.KubeConfig;
  readonly #clock: Clock;
  readonly #pools: ConnectionPools;
  #config: clientNode.KubeConfig;
  #loadedAt: number;
  #inFlight: Promise<KubeConnection> | undefined;

  constructor(lib: ClientNode, load: () => clientNode.KubeConfig, clock: Clock) {
    this.#lib = lib;
    this.#load = load;
    this.#clock = clock;
    this.#pools = new ConnectionPools(clock);
    this.#config = load();
    this.#loadedAt = clock.monotonic();
  }

  get namespace(): string {
    return this.#config.getContextObject(this.#config.getCurrentContext())?.namespace?.trim() || 'default';
  }

  connect(): Promise<KubeConnection> {
    if (this.#pools.isClosed) return Promise.reject(clientClosed());
    if (this.#inFlight === undefined) {
      const connecting = this.#connect().finally(() => {
        this.#inFlight = undefined;
      });
      this.#inFlight = connecting;
    }
    return this.#inFlight;
  }

  refresh(): void {
    const now = this.#clock.monotonic();
    if (now - this.#loadedAt < REFRESH_AT_MOST_EACH_MS) return;
    this.#loadedAt = now;
    try {
      this.#config = this.#load();
    } catch {
      // Half-written or gone for the moment: what was read before may still work, and the 401 is on its way up.
    }
  }

  close(): Promise<void> {
    return this.#pools.close();
  }

  async #connect(): Promise<KubeConnection> {
    const config = this.#config;
    const server = (config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
    const { options, headers } = await this.#authenticate(config, server);
    if (this.#pools.isClosed) throw clientClosed();
    const { requests, streams } = this.#pools.for(options);
    return { server, headers, requests, streams };
  }

  async #authenticate(
    config: clientNode.KubeConfig,
    server: string,
  ): Promise<{ options: clientNode.DispatcherOptions; headers: Record<string, string> }> {
    using limit = new Deadline(
      this.#clock,
      AUTH_TIMEOUT_MS,
      undefined,
      () => new KubeError('ASYNQ_KUBE_TIMEOUT', `no credentials within ${AUTH_TIMEOUT_MS} ms`),
    );
    let options: clientNode.DispatcherOptions = { type: 'none' };
    // client-node tells us what it would build a dispatcher from, and builds none.
    config.createDispatcherOptions = (...args) => {
      options = this.#lib.KubeConfig.prototype.createDispatcherOptions.apply(config, args);
      return { type: 'none' };
    };
    const context = new this.#lib.RequestContext(server, this.#lib.HttpMethod.GET);
    try {
      await orAborted(config.applySecurityAuthentication(context), limit.signal);
    } catch (error) {
      if (limit.signal.aborted) throw limit.signal.reason;
      throw new KubeError('ASYNQ_KUBE_CONFIG', `no credentials: ${errorText(error)}`, { cause: error });
    }
    return { options, headers: { ...context.getHeaders() } };
  }
}

function clientClosed(): AsynqError {
  return new AsynqError('ASYNQ_CLOSED', 'the Kubernetes client was closed');
}
