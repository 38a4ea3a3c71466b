import { randomUUID } from 'node:crypto';
import type { Broker, ServerState } from '../broker/broker.ts';
import { RedisBroker } from '../broker/redis-broker.ts';
import { shareOrOpen } from '../redis/open.ts';
import type { RedisConnOpt } from '../redis/options.ts';
import type { RedisRouter } from '../redis/router.ts';
import { oncePerCause } from '../runtime/cause-log.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { within } from '../runtime/within.ts';
import { Running } from './component.ts';
import { type ResolvedConfig, resolveConfig, type ServerConfig } from './config.ts';
import type { Handler, HandlerFunction } from './handler.ts';
import { handlerFunction } from './mux.ts';
import { checkQueue, QueueSet } from './queue-set.ts';
import { joinParts, type ServerParts } from './server-parts.ts';

export type ServerStatus = ServerState['status'];

type ComponentName = keyof ServerParts['components'];

const START_ORDER: readonly ComponentName[] = [
  'heartbeater',
  'leaseKeeper',
  'healthChecker',
  'subscriber',
  'syncer',
  'recoverer',
  'forwarder',
  'waiter',
  'fetcher',
  'janitor',
  'aggregator',
];

/** What is left after forwarder, fetcher, aggregator and recoverer, in Go's order. */
const STOP_ORDER: readonly ComponentName[] = [
  'syncer',
  'subscriber',
  'janitor',
  'healthChecker',
  'leaseKeeper',
  'heartbeater',
];

/** When all handlers have ended or were given up: time to write what is left to write, Redis being there or not. */
const LAST_WORDS_MS = 3_000;

const CLOSED = 'asynq: Server closed';

export interface ShutdownOptions {
  /** When it aborts, running handlers are waited for no longer. */
  readonly signal?: AbortSignal;
}

/**
 * Takes tasks from its queues and runs them.
 *
 * - `new`: nothing runs yet
 * - `active`: it takes tasks (`start`)
 * - `stopped`: it takes none, those at work go on (`stop`)
 * - `closed`: nothing runs any more (`shutdown`); for good
 *
 * It installs no signal handlers: whoever has the process decides when to stop.
 *
 * @example
 * const server = new Server({ addrs: ['127.0.0.1:7000'] }, { concurrency: 20, queues: { webhooks: 1, imágenes: 1 } });
 * server.start(mux);
 * process.once('SIGTERM', () => void server.shutdown());
 */
export class Server implements AsyncDisposable {
  readonly #broker: Broker;
  /** The connection is of our own making, and ends with us. */
  readonly #isOwner: boolean;
  readonly #config: ResolvedConfig;
  /** Of its parts; handlers and functions of the user have the one that they gave. */
  readonly #log: Logger;
  readonly #queues: QueueSet;
  readonly #id = randomUUID();
  readonly #running = new Map<ComponentName, Running>();
  #parts: ServerParts | undefined;
  #status: ServerStatus = 'new';
  #startedAt = 0;
  #closing: Promise<void> | undefined;

  /**
   * `redis`: where Redis is, or a connection that others use too and that a shutdown leaves open.
   *
   * @throws ASYNQ_CONFIG_INVALID, ASYNQ_QUEUE_NAME_INVALID
   */
  constructor(redis: RedisConnOpt | RedisRouter, config?: ServerConfig);
  /** @internal On whatever knows tasks as Redis does. */
  constructor(redis: Broker, config?: ServerConfig);
  constructor(redis: RedisConnOpt | RedisRouter | Broker, config: ServerConfig = {}) {
    this.#config = resolveConfig(config);
    const { clock, leaseDuration } = this.#config;
    this.#log = oncePerCause(this.#config.log, clock);
    this.#queues = new QueueSet(this.#config.queues);
    if (isBroker(redis)) {
      this.#broker = redis;
      this.#isOwner = false;
      return;
    }
    const log = this.#log;
    const { router, isOwner } = shareOrOpen(redis, { clock, log });
    this.#broker = new RedisBroker({ router, clock, log, leaseSeconds: leaseDuration / 1000 });
    this.#isOwner = isOwner;
  }

  get status(): ServerStatus {
    return this.#status;
  }

  /** Handlers at work in each queue, those that were told to stop and did not yet among them. */
  get running(): ReadonlyMap<string, number> {
    const running = new Map<string, number>();
    for (const { queue, state } of this.#parts?.processor.tasks ?? []) {
      if (state !== 'leased') running.set(queue, (running.get(queue) ?? 0) + 1);
    }
    return running;
  }

  /**
   * Since when every slot is held by a handler that was told to stop and did not, Unix milliseconds; undefined while it
   * is not so. Such a server does nothing any more: its process wants a restart.
   */
  get stuckSince(): number | undefined {
    return this.#parts?.processor.stuckSince;
  }

  /**
   * Begins to take tasks. Redis need not be there yet: it is asked until it is.
   *
   * @throws ASYNQ_SERVER_STATE, ASYNQ_CLOSED when it was started before; ASYNQ_HANDLER_INVALID
   */
  start(handler: Handler | HandlerFunction): void {
    this.#expectNew();
    const { clock, concurrency, signal } = this.#config;
    const parts = joinParts({
      broker: this.#broker,
      config: this.#config,
      log: this.#log,
      queues: this.#queues,
      handle: handlerFunction(handler),
      state: () => this.#state(),
    });
    this.#parts = parts;
    this.#startedAt = clock.now();
    this.#status = 'active';
    for (const name of START_ORDER) {
      const component = parts.components[name];
      if (component !== undefined) this.#running.set(name, new Running(name, component, this.#log));
    }
    signal?.addEventListener('abort', this.#cancelAll);
    if (signal?.aborted) this.#cancelAll();
    this.#log.info({ queues: this.#queues.priorities, concurrency }, 'server started');
  }

  /**
   * Works on another queue from now on, or gives one of its queues another priority, a whole number from 1.
   *
   * @throws ASYNQ_CONFIG_INVALID, ASYNQ_QUEUE_NAME_INVALID; ASYNQ_CLOSED
   */
  addQueue(name: string, priority = 1): void {
    if (this.#status === 'closed') throw new AsynqError('ASYNQ_CLOSED', CLOSED);
    checkQueue(name, priority);
    this.#queues.set(name, priority);
    this.#log.info({ queue: name, priority }, 'queue added');
  }

  /**
   * Takes no more tasks of a queue, and does nothing else for it. Its tasks at work go on, and their outcomes are written;
   * those that were taken and not started go back. A server without queues waits for one. False: it was not in.
   */
  removeQueue(name: string): boolean {
    if (!this.#queues.delete(name)) return false;
    this.#parts?.processor.giveBackUnstarted(name);
    this.#log.info({ queue: name }, 'queue removed');
    return true;
  }

  /** Takes no more tasks; those at work go on. Tasks that were taken and not started go back to their queues. */
  stop(): void {
    if (this.#status !== 'active') return;
    this.#status = 'stopped';
    this.#parts?.processor.quiet();
    void this.#stop('fetcher');
    void this.#stop('waiter');
    this.#log.info({}, 'server takes no more tasks');
  }

  /**
   * Stops, waits for running handlers for as long as `shutdownTimeout` says, gives the tasks of the others back to the
   * head of their queues (their signals abort, nothing is counted), and resolves when nothing of the server runs but
   * handlers that do not listen. Never rejects; harmless when done before. A server that was never started only ends
   * its own connection, and with it itself; on a connection that others use too it stays as it is.
   */
  shutdown(options: ShutdownOptions = {}): Promise<void> {
    if (this.#status === 'new' && !this.#isOwner) return Promise.resolve();
    this.#closing ??= this.#status === 'new' ? this.#closeUnstarted() : this.#close(options);
    return this.#closing;
  }

  ping(): Promise<void> {
    return this.#status === 'closed' ? Promise.resolve() : this.#broker.ping();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** A ping may have connected it. */
  async #closeUnstarted(): Promise<void> {
    this.#status = 'closed';
    await this.#within(LAST_WORDS_MS, this.#broker.close());
  }

  async #close(options: ShutdownOptions): Promise<void> {
    const { signal } = this.#config;
    this.stop();
    void this.#stop('forwarder');
    void this.#stop('aggregator');
    const drained = Promise.all([this.#parts?.processor.drained(), this.#parts?.aggregator?.drained()]);
    await this.#within(this.#config.shutdownTimeout, drained, options.signal);
    this.#parts?.processor.giveBack();
    this.#parts?.aggregator?.giveBack();
    await this.#within(LAST_WORDS_MS, this.#sayLastWords());
    signal?.removeEventListener('abort', this.#cancelAll);
    if (this.#isOwner) await this.#within(LAST_WORDS_MS, this.#broker.close());
    this.#status = 'closed';
    this.#log.info({}, 'server closed');
  }

  /** Writes what is left to write, and the end of the server. What hangs because its master is away holds up no other. */
  async #sayLastWords(): Promise<void> {
    const flush = () => this.#parts?.syncer.flush();
    await Promise.all([
      flush(),
      this.#stop('fetcher').then(flush),
      this.#stop('forwarder'),
      this.#stop('recoverer'),
      this.#stop('aggregator'),
    ]);
    for (const name of STOP_ORDER) await this.#stop(name);
  }

  async #stop(name: ComponentName): Promise<void> {
    await this.#running.get(name)?.stop();
  }

  /** As `within`; what fails is logged, however late. */
  #within(ms: number, work: Promise<unknown>, cut?: AbortSignal): Promise<void> {
    const logged = work.catch((err: unknown) => this.#log.error({ err }, 'a step of the shutdown failed'));
    return within(ms, logged, this.#config.clock, cut);
  }

  readonly #cancelAll = (): void => {
    this.stop();
    this.#parts?.processor.cancel();
  };

  #expectNew(): void {
    const text = {
      new: undefined,
      active: 'asynq: the server is already running',
      stopped: 'asynq: the server is in the stopped state. Waiting for shutdown.',
      closed: CLOSED,
    }[this.#status];
    if (text === undefined) return;
    throw new AsynqError(this.#status === 'closed' ? 'ASYNQ_CLOSED' : 'ASYNQ_SERVER_STATE', text);
  }

  #state(): ServerState {
    const { host, concurrency, strictPriority } = this.#config;
    const running = [...(this.#parts?.processor.tasks ?? [])].filter(
      (task) => task.isHeld && task.state !== 'leased',
    );
    return {
      host,
      pid: process.pid,
      serverId: this.#id,
      concurrency,
      queues: this.#queues.priorities,
      strictPriority,
      status: this.#status,
      startedAt: this.#startedAt,
      workers: running.map(({ leased, startedAt, deadline }) => ({ task: leased, startedAt, deadline })),
    };
  }
}

function isBroker(redis: unknown): redis is Broker {
  return typeof redis === 'object' && redis !== null && 'dequeue' in redis;
}
