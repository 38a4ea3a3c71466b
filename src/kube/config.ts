import { isDeepStrictEqual } from 'node:util';
import type * as clientNode from '@kubernetes/client-node';
import { Agent, type buildConnector, type Dispatcher, ProxyAgent, Socks5ProxyAgent } from 'undici';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import type * as running from './client-node.ts';
import { Deadline, orAborted } from './deadline.ts';
import { KubeError } from './kube-error.ts';

/** An exec plugin may open a browser for somebody to log in; longer than this it hangs. */
const AUTH_TIMEOUT_MS = 60_000;
/** A refused token is read anew, but a server that refuses everything must not make us run the plugin in a loop. */
const REFRESH_AT_MOST_EACH_MS = 10_000;

/** Go's clients keep idle connections 90 s; a little less than a load balancer's usual 60 s is never cut by one. */
const KEEP_ALIVE_MS = 55_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Requests beyond this wait for a free connection: a burst does not open a hundred. */
const REQUEST_CONNECTIONS = 16;

export interface KubeConfigOptions {
  /** Path of a kubeconfig. @default what kubectl would use ($KUBECONFIG, ~/.kube/config), else the pod's ServiceAccount */
  readonly path?: string;
  /** @default the kubeconfig's current context */
  readonly context?: string;
  readonly clock?: Clock;
}

/** What one request needs to reach the API server and be known to it. */
export interface KubeConnection {
  /** URL, without a slash at its end. */
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For requests that end soon. */
  readonly requests: Dispatcher;
  /** For watches: each keeps a connection, and must not take it from the requests. */
  readonly streams: Dispatcher;
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

/** client-node and undici mean the same TLS options of Node, and differ in how they write optional ones. */
type TlsOptions = buildConnector.BuildOptions;

interface Pools {
  /** What both were built from. */
  readonly options: clientNode.DispatcherOptions;
  readonly requests: Dispatcher;
  readonly streams: Dispatcher;
}

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

/**
 * client-node builds a new undici Agent, and so makes a TLS handshake, for every request (measured: 500 GETs, 500
 * handshakes, five times the time). Here the connections live as long as what they were built from: the TLS options.
 * When these change (a rotated CA or client certificate) new ones take over and the old ones end with their requests.
 */
class ClientNodeCredentials implements KubeCredentials {
  readonly #lib: ClientNode;
  readonly #load: () => clientNode.KubeConfig;
  readonly #clock: Clock;
  #config: clientNode.KubeConfig;
  #loadedAt: number;
  #inFlight: Promise<KubeConnection> | undefined;
  #pools: Pools | undefined;
  readonly #open = new Set<Dispatcher>();
  #closed = false;

  constructor(lib: ClientNode, load: () => clientNode.KubeConfig, clock: Clock) {
    this.#lib = lib;
    this.#load = load;
    this.#clock = clock;
    this.#config = load();
    this.#loadedAt = clock.monotonic();
  }

  get namespace(): string {
    return this.#config.getContextObject(this.#config.getCurrentContext())?.namespace?.trim() || 'default';
  }

  connect(): Promise<KubeConnection> {
    if (this.#closed)
      return Promise.reject(new AsynqError('ASYNQ_CLOSED', 'the Kubernetes client was closed'));
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

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open].map((it) => it.destroy()));
    this.#open.clear();
  }

  async #connect(): Promise<KubeConnection> {
    const config = this.#config;
    const server = (config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
    const { options, headers } = await this.#authenticate(config, server);
    if (this.#closed) throw new AsynqError('ASYNQ_CLOSED', 'the Kubernetes client was closed');
    const { requests, streams } = this.#poolsFor(options);
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

  #poolsFor(options: clientNode.DispatcherOptions): Pools {
    const old = this.#pools;
    if (old !== undefined && isDeepStrictEqual(old.options, options)) return old;
    const pools = {
      options,
      requests: this.#track(dispatcherOf(options, { connections: REQUEST_CONNECTIONS })),
      streams: this.#track(dispatcherOf(options, {})),
    };
    this.#pools = pools;
    if (old !== undefined) for (const it of [old.requests, old.streams]) void this.#retire(it);
    return pools;
  }

  /** Lets what is under way end in peace. */
  async #retire(dispatcher: Dispatcher): Promise<void> {
    try {
      await dispatcher.close();
    } catch {
      // Cut meanwhile, by `close`.
    }
    this.#open.delete(dispatcher);
  }

  #track(dispatcher: Dispatcher): Dispatcher {
    this.#open.add(dispatcher);
    return dispatcher;
  }
}

/** HTTP/1.1 on purpose: over one HTTP/2 connection a lost packet stalls every watch, and a dead one kills them all. */
function dispatcherOf(
  options: clientNode.DispatcherOptions,
  limits: { readonly connections?: number },
): Dispatcher {
  const common = {
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...limits,
  };
  switch (options.type) {
    case 'none':
      return new Agent(common);
    case 'agent':
      return new Agent({ ...common, connect: options.connect as TlsOptions });
    case 'proxy':
      return new ProxyAgent({ ...common, uri: options.uri, requestTls: options.requestTls as TlsOptions });
    case 'socks':
      return new Socks5ProxyAgent(options.uri, { ...common, requestTls: options.requestTls as TlsOptions });
    default:
      return options satisfies never;
  }
}
