import { type Deployment, type Pod } from '../../kube/resources.ts';
import type { Clock } from '../../runtime/clock.ts';
import {
  type AsynqQueue,
  keyOf,
  ownWorkerName,
  type RedisSpec,
  redisOf,
  type WorkerSpec,
  workerName,
} from '../asynq-queue.ts';
import { type DeploymentIntent, desiredDeployment } from '../desired-deployment.ts';
import type { Fleet, FleetResult, FleetState, QueueKey } from '../ends.ts';
import type { Refusal } from '../refusal.ts';
import type { ContentCache } from './content-cache.ts';
import type { DeploymentWriter } from './deployment-writer.ts';
import { type FleetMemory, lookAt, NO_MEMORY } from './fleet-health.ts';
import type { NamespacedCache } from './namespaced-cache.ts';
import { workerContents } from './worker-contents.ts';

/** Index of pods: key of the AsynqQueue that they serve. */
export const PODS_BY_QUEUE = 'queue';

export interface KubernetesFleetOptions {
  readonly deployments: NamespacedCache<Deployment>;
  /** With the index `PODS_BY_QUEUE`. */
  readonly pods: NamespacedCache<Pod>;
  readonly writer: DeploymentWriter;
  readonly contents: ContentCache;
  readonly operatorDefault: RedisSpec | undefined;
  /** For workers that name none. */
  readonly defaultImage: string;
  readonly clock: Clock;
}

const NONE = { replicas: 0, readyReplicas: 0, startupSeconds: [] };

/**
 * Workers as a Deployment: one that we make and own (`worker`), or one of others of which we only turn the number
 * (`workerRef`). A Deployment of our name that is not ours is left alone.
 *
 * Reads caches only. Each write may be the last, and the next run goes on from there.
 */
export class KubernetesFleet implements Fleet {
  readonly #options: KubernetesFleetOptions;
  /** By key of the AsynqQueue. */
  readonly #memories = new Map<QueueKey, FleetMemory>();

  constructor(options: KubernetesFleetOptions) {
    this.#options = options;
  }

  state(queue: AsynqQueue): FleetState {
    const { deployments, pods, clock } = this.#options;
    const live = deployments.get(targetKey(queue));
    if (live === undefined) return { presence: 'absent', ...NONE };
    if (queue.spec.worker !== undefined && !isOwnedBy(live, queue)) return { presence: 'foreign', ...NONE };
    const key = keyOf(queue);
    const own = queue.spec.worker === undefined ? [] : pods.byIndex(PODS_BY_QUEUE, key);
    const { state, memory } = lookAt(live, own, this.#memories.get(key) ?? NO_MEMORY, clock.now());
    this.#memories.set(key, memory);
    return state;
  }

  apply(queue: AsynqQueue, replicas: number | undefined): Promise<FleetResult> {
    const { worker } = queue.spec;
    return worker === undefined
      ? this.#applyTarget(queue, replicas)
      : this.#applyOwn(queue, worker, replicas);
  }

  /** Kubernetes collects what has lost its owner. */
  async remove(key: QueueKey): Promise<void> {
    this.#memories.delete(key);
    this.#options.writer.forget(`${key}-worker`);
  }

  async #applyTarget(queue: AsynqQueue, replicas: number | undefined): Promise<FleetResult> {
    const { namespace } = queue.metadata;
    const live = this.#options.deployments.get(targetKey(queue));
    if (live === undefined) {
      const message = `there is no Deployment ${workerName(queue)} in ${namespace}`;
      return { changed: [], refusal: { reason: 'TargetNotFound', message } };
    }
    await this.#deleteReplaced(queue);
    return { changed: [], ...(await this.#scale(live, replicas)) };
  }

  /** Workers of our own that a `workerRef` has taken the place of. */
  async #deleteReplaced(queue: AsynqQueue): Promise<void> {
    const { deployments, writer } = this.#options;
    const own = deployments.get(`${queue.metadata.namespace}/${ownWorkerName(queue)}`);
    if (own === undefined || own.metadata.name === workerName(queue)) return;
    if (isOwnedBy(own, queue) && !isGoing(own)) await writer.delete(own);
  }

  async #applyOwn(queue: AsynqQueue, worker: WorkerSpec, replicas: number | undefined): Promise<FleetResult> {
    const { deployments, contents, operatorDefault, defaultImage } = this.#options;
    const redis = redisOf(queue, operatorDefault);
    const live = deployments.get(targetKey(queue));
    if (live !== undefined && !isOwnedBy(live, queue))
      return { changed: [], refusal: nameConflict(queue, live) };
    if (redis === undefined || (live !== undefined && isGoing(live))) return { changed: [] };

    const found = await workerContents(queue, worker, redis, contents);
    const template =
      found.kind === 'missing'
        ? ({ changed: [], refusal: found.refusal } as const)
        : await this.#applyTemplate(
            desiredDeployment({ queue, worker, redis, defaultImage, checksum: found.checksum }),
            live,
            replicas ?? 0,
          );
    if (live === undefined) return template;
    // A template that cannot be had is no reason to leave the number of workers as it is.
    const scaled = await this.#scale(deployments.get(targetKey(queue)) ?? live, replicas);
    return { ...template, ...scaled };
  }

  async #applyTemplate(
    intent: DeploymentIntent,
    live: Deployment | undefined,
    atBirth: number,
  ): Promise<FleetResult> {
    const { writer } = this.#options;
    if (live !== undefined && writer.isApplied(live, intent)) return { changed: [] };
    const applied =
      live === undefined ? await writer.create(intent, atBirth) : await writer.update(live, intent);
    if (applied.kind === 'refused') return { changed: [], refusal: applied.refusal };
    if (live === undefined) return { changed: ['created'], ...(atBirth > 0 && { scaledTo: atBirth }) };
    const isNews = applied.deployment.metadata.generation !== live.metadata.generation;
    return { changed: isNews ? ['updated'] : [] };
  }

  async #scale(live: Deployment, replicas: number | undefined): Promise<Pick<FleetResult, 'scaledTo'>> {
    if (replicas === undefined || replicas === (live.spec?.replicas ?? 1)) return {};
    await this.#options.writer.scale(live, replicas);
    return { scaledTo: replicas };
  }
}

function targetKey(queue: AsynqQueue): string {
  return `${queue.metadata.namespace}/${workerName(queue)}`;
}

function isOwnedBy({ metadata }: Deployment, queue: AsynqQueue): boolean {
  return (metadata.ownerReferences ?? []).some(
    ({ controller, uid }) => controller === true && uid === queue.metadata.uid,
  );
}

function isGoing({ metadata }: Deployment): boolean {
  return metadata.deletionTimestamp !== undefined;
}

function nameConflict(queue: AsynqQueue, live: Deployment): Refusal {
  const owner = (live.metadata.ownerReferences ?? []).find(({ controller }) => controller === true);
  const whose = owner === undefined ? 'nobody controls it' : `${owner.kind} ${owner.name} controls it`;
  const message = `the Deployment ${workerName(queue)} is not ours, ${whose}: rename the AsynqQueue, or remove the Deployment`;
  return { reason: 'NameConflict', message };
}
