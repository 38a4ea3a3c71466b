import type { Registry } from 'prom-client';
import type { KubeClient } from '../kube/api.ts';
import { EventRecorder } from '../kube/events.ts';
import { LeaderElector, type Leadership } from '../kube/leader-election.ts';
import type { CallOptions } from '../kube/transport.ts';
import type { AsynqQueue, RedisSpec } from './asynq-queue.ts';
import type { ConnectionMakers } from './connections.ts';
import { ContentCache } from './ends/content-cache.ts';
import { DeploymentWriter } from './ends/deployment-writer.ts';
import { KubernetesFleet } from './ends/kubernetes-fleet.ts';
import { KubernetesSource } from './ends/kubernetes-source.ts';
import { Engine } from './engine.ts';
import { OperatorCaches } from './operator-caches.ts';
import { QueueMetrics } from './queue-metrics.ts';
import { WRITE_TIMEOUT_MS } from './write-timeout.ts';

/** A loop that has not looked at the queues for so long is stuck, milliseconds. */
const STUCK_MS = 30_000;

export interface OperatorOptions {
  /** Its clock, log and observer are the operator's too. */
  readonly client: KubeClient;
  /** Absent: all. */
  readonly namespaces?: readonly string[];
  /** Where the leader is elected, and who we are there; absent: this process is the only one. */
  readonly election?: {
    readonly namespace: string;
    readonly name: string;
    /** Unique for each process, always. */
    readonly identity: string;
  };
  /** This process, as events name it: the pod. */
  readonly instance: string;
  /** Where queues live that do not say. */
  readonly operatorDefault?: RedisSpec;
  /** Image of workers that name none. */
  readonly defaultImage: string;
  readonly redis: ConnectionMakers;
  readonly registry: Registry;
  /** Milliseconds from one look at all queues to the next. @default 1000 */
  readonly tickMs?: number;
  /** Milliseconds for which the content of a Secret or ConfigMap is believed. @default 30000 */
  readonly contentBelievedMs?: number;
}

/**
 * The operator: caches of the API server, a leader, and the engine between them.
 *
 * States: Idle -> Following (caches are kept warm, nothing is written) -> Leading -> Stopped. A process that has lost its
 * lease stops for good, at once: start another one.
 */
export class Operator {
  readonly #options: OperatorOptions;
  readonly #caches: OperatorCaches;
  readonly #recorder: EventRecorder;
  readonly #engine: Engine;
  readonly #stopping = new AbortController();
  #leadership: Leadership | undefined;
  #running: Promise<'stopped' | 'lost'> | undefined;

  constructor(options: OperatorOptions) {
    this.#options = options;
    const { client, namespaces, instance, operatorDefault, defaultImage, redis, registry, tickMs } = options;
    const { clock, log, observer } = client;
    this.#caches = new OperatorCaches(client, namespaces);
    this.#recorder = new EventRecorder({ client, controller: 'asynq.dev/operator', instance });
    const { queues, deployments, pods } = this.#caches;
    const contents = new ContentCache(client, options.contentBelievedMs);
    const asLeader = () => this.#asLeader();
    this.#engine = new Engine({
      source: new KubernetesSource({ client, queues, recorder: this.#recorder, contents, asLeader }),
      fleet: new KubernetesFleet({
        deployments,
        pods,
        writer: new DeploymentWriter({ client, deployments, asLeader }),
        contents,
        operatorDefault,
        defaultImage,
        clock,
      }),
      redis,
      mayWrite: () => this.isLeading,
      ...(operatorDefault && { operatorDefault }),
      clock,
      log,
      ...(tickMs !== undefined && { tickMs }),
      listener: new QueueMetrics(registry),
      observer,
    });
    this.#caches.onNews((key, priority) => this.#engine.enqueue(key, priority));
  }

  /**
   * Runs until `stop` (`stopped`), or until the lease is lost (`lost`): then another process leads, and this one must
   * end. Idempotent.
   */
  run(): Promise<'stopped' | 'lost'> {
    this.#running ??= this.#run(this.#stopping.signal);
    return this.#running;
  }

  /** Lets what is being written end, hands the lease over, closes everything. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  get isLeading(): boolean {
    return this.#leadership?.isLeader() === true;
  }

  /** Why this process should be restarted; undefined: it works. */
  liveProblem(): string | undefined {
    const { clock } = this.#options.client;
    if (this.isLeading && clock.monotonic() - this.#engine.lastTickAt > STUCK_MS) {
      return `no look at the queues for ${STUCK_MS / 1000} s`;
    }
    return this.#caches.isHearing(clock.now()) ? undefined : 'the API server was not heard for ten minutes';
  }

  /** Why this process is not ready to lead; undefined: it is. */
  readyProblem(): string | undefined {
    return this.#caches.isSynced() ? undefined : 'the API server was not read completely yet';
  }

  queues(): readonly AsynqQueue[] {
    return this.#caches.queues.list();
  }

  async #run(stopping: AbortSignal): Promise<'stopped' | 'lost'> {
    this.#caches.start();
    const stopCaches = () => void this.#caches.stop();
    stopping.addEventListener('abort', stopCaches, { once: true });
    try {
      const synced = await this.#caches.synced();
      this.#leadership = synced ? await this.#lead(stopping) : undefined;
      if (this.#leadership === undefined) return 'stopped';
      this.#engine.start();
      const { lost } = this.#leadership;
      await firstAbort(lost, stopping);
      await this.#engine.stop(lost.aborted ? 0 : undefined);
      await this.#leadership.release();
      return lost.aborted ? 'lost' : 'stopped';
    } finally {
      await this.#engine.stop();
      await this.#recorder.stop();
      await this.#caches.stop();
    }
  }

  async #lead(stopping: AbortSignal): Promise<Leadership | undefined> {
    const { client, election } = this.#options;
    if (election === undefined) return stopping.aborted ? undefined : ALONE;
    return new LeaderElector({ client, ...election }).acquire(stopping);
  }

  #asLeader(): CallOptions {
    const leadership = this.#leadership;
    const beforeAttempt = () => {
      if (leadership?.isLeader() !== true)
        throw new Error('this process does not lead (any more): it writes nothing');
    };
    beforeAttempt();
    return { beforeAttempt, timeoutMs: WRITE_TIMEOUT_MS, ...(leadership && { signal: leadership.lost }) };
  }
}

/** Leadership where there is nobody else. */
const ALONE: Leadership = {
  lost: new AbortController().signal,
  isLeader: () => true,
  release: async () => {},
};

function firstAbort(...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const any = AbortSignal.any([...signals]);
    if (any.aborted) resolve();
    else any.addEventListener('abort', () => resolve(), { once: true });
  });
}
