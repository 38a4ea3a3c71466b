import { isDeepStrictEqual } from 'node:util';
import type { DispatcherOptions } from '@kubernetes/client-node';
import { Agent, type buildConnector, type Dispatcher, ProxyAgent, Socks5ProxyAgent } from 'undici';
import type { Clock } from '../runtime/clock.ts';

/** Go's clients keep idle connections 90 s; a little less than a load balancer's usual 60 s is never cut by one. */
const KEEP_ALIVE_MS = 55_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** The longest watch ends within six minutes. */
const RETIRE_AFTER_MS = 600_000;
/** Requests beyond this wait for a free connection: a burst does not open a hundred. */
const REQUEST_CONNECTIONS = 16;

/** client-node and undici mean the same TLS options of Node, and differ in how they write optional ones. */
type TlsOptions = buildConnector.BuildOptions;

export interface Pools {
  /** For requests that end soon. */
  readonly requests: Dispatcher;
  /** For watches: each keeps a connection, and must not take it from the requests. */
  readonly streams: Dispatcher;
}

/**
 * Connections to the API server, as long-lived as what they were built from: the TLS options. client-node builds an
 * undici Agent, and so makes a TLS handshake, for every request (measured: 500 GETs, 500 handshakes, five times the
 * time).
 *
 * When the options change (a rotated CA or client certificate) new connections take over; the old ones are cut when what
 * is open on them had time to end.
 */
export class ConnectionPools {
  readonly #clock: Clock;
  readonly #open = new Set<Dispatcher>();
  readonly #closed = new AbortController();
  #current: (Pools & { readonly options: DispatcherOptions }) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  for(options: DispatcherOptions): Pools {
    const old = this.#current;
    if (old !== undefined && isDeepStrictEqual(old.options, options)) return old;
    if (old !== undefined) for (const it of [old.requests, old.streams]) void this.#retire(it);
    this.#current = {
      options,
      requests: this.#track(dispatcherOf(options, { connections: REQUEST_CONNECTIONS })),
      streams: this.#track(dispatcherOf(options, {})),
    };
    return this.#current;
  }

  /** Cuts them all. Idempotent. */
  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.all([...this.#open].map((it) => it.destroy()));
    this.#open.clear();
  }

  /** Not by undici's `close`, which waits for what is open and after which `destroy` no longer cuts it. */
  async #retire(dispatcher: Dispatcher): Promise<void> {
    await this.#clock.sleep(RETIRE_AFTER_MS, this.#closed.signal);
    await dispatcher.destroy();
    this.#open.delete(dispatcher);
  }

  #track(dispatcher: Dispatcher): Dispatcher {
    this.#open.add(dispatcher);
    return dispatcher;
  }
}

/** HTTP/1.1 on purpose: over one HTTP/2 connection a lost packet stalls every watch, and a dead one kills them all. */
function dispatcherOf(options: DispatcherOptions, limits: { readonly connections?: number }): Dispatcher {
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
