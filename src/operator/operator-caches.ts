import type { KubeClient } from '../kube/api.ts';
import { DEPLOYMENTS, type Deployment, PODS, type Pod } from '../kube/resources.ts';
import { KIND, keyOf, workerName } from './asynq-queue.ts';
import { QUEUE_LABEL } from './desired-deployment.ts';
import { PODS_BY_QUEUE } from './ends/kubernetes-fleet.ts';
import { ASYNQ_QUEUES, type AsynqQueueObject } from './ends/kubernetes-source.ts';
import { NamespacedCache } from './ends/namespaced-cache.ts';
import type { QueueKey } from './ends.ts';

/** An API server that is not heard for so long is no longer listened to, milliseconds; bookmarks come once a minute. */
const DEAF_MS = 10 * 60_000;

const QUEUES_BY_TARGET = 'target';

/** What the operator keeps of the API server: AsynqQueues, Deployments, and the pods of our workers. */
export class OperatorCaches {
  readonly queues: NamespacedCache<AsynqQueueObject>;
  readonly deployments: NamespacedCache<Deployment>;
  readonly pods: NamespacedCache<Pod>;

  constructor(client: KubeClient, namespaces: readonly string[] | undefined) {
    const scope = { client, ...(namespaces === undefined ? {} : { namespaces }) };
    this.queues = new NamespacedCache({
      ...scope,
      resource: ASYNQ_QUEUES,
      indexes: {
        [QUEUES_BY_TARGET]: (queue: AsynqQueueObject) => [`${queue.metadata.namespace}/${workerName(queue)}`],
      },
    });
    this.deployments = new NamespacedCache({ ...scope, resource: DEPLOYMENTS, transform: slimDeployment });
    this.pods = new NamespacedCache({
      ...scope,
      resource: PODS,
      labelSelector: QUEUE_LABEL,
      transform: slimPod,
      indexes: { [PODS_BY_QUEUE]: (pod: Pod) => queueOfPod(pod) },
    });
  }

  /** Calls back with each AsynqQueue that has news: `high` for its own, which somebody has just written. */
  onNews(listener: (key: QueueKey, priority: 'high' | 'normal') => void): void {
    this.queues.onChange((change) => {
      const isEdit =
        change.type !== 'updated' ||
        change.previous.metadata.generation !== change.object.metadata.generation;
      listener(change.key, isEdit ? 'high' : 'normal');
    });
    this.deployments.onChange(({ key }) => {
      for (const queue of this.queues.byIndex(QUEUES_BY_TARGET, key)) listener(keyOf(queue), 'normal');
    });
    this.pods.onChange(({ object }) => {
      for (const key of queueOfPod(object)) listener(key, 'normal');
    });
  }

  start(): void {
    for (const cache of this.#all()) cache.start();
  }

  /** true once all is there; false when stopped before that. */
  async synced(): Promise<boolean> {
    const synced = await Promise.all(this.#all().map((cache) => cache.synced()));
    return synced.every(Boolean);
  }

  isSynced(): boolean {
    return this.#statuses().every(({ synced }) => synced);
  }

  /** Whether the API server was heard lately, or never yet. */
  isHearing(now: number): boolean {
    return this.#statuses().every(({ lastEventAt = now }) => now - lastEventAt < DEAF_MS);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all().map((cache) => cache.stop()));
  }

  #all(): readonly [NamespacedCache<AsynqQueueObject>, NamespacedCache<Deployment>, NamespacedCache<Pod>] {
    return [this.queues, this.deployments, this.pods];
  }

  #statuses() {
    return this.#all().flatMap((cache) => cache.status());
  }
}

function queueOfPod({ metadata }: Pod): readonly QueueKey[] {
  const name = metadata.labels?.[QUEUE_LABEL];
  return name === undefined ? [] : [`${metadata.namespace}/${name}`];
}

/** Ours stay whole, to be compared with what they should be; of all others only the number of replicas matters. */
function slimDeployment(deployment: Deployment): Deployment {
  const { metadata, spec, status } = deployment;
  if (metadata.ownerReferences?.some(({ kind }) => kind === KIND)) return deployment;
  const { labels: _labels, annotations: _annotations, ...kept } = metadata;
  return {
    metadata: kept,
    spec: { replicas: spec?.replicas ?? 1 },
    ...(status === undefined ? {} : { status }),
  } as Deployment;
}

function slimPod({ metadata, status }: Pod): Pod {
  const { annotations: _annotations, ownerReferences: _owners, ...kept } = metadata;
  const { conditions, containerStatuses, initContainerStatuses } = status ?? {};
  return {
    metadata: kept,
    status: {
      ...(conditions && { conditions: conditions.filter(({ type }) => type === 'Ready') }),
      ...(containerStatuses && { containerStatuses }),
      ...(initContainerStatuses && { initContainerStatuses }),
    },
  };
}
