import type { KubeClient } from '../../kube/api.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { isNotFound } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Resource } from '../../kube/resource.ts';
import type { CallOptions } from '../../kube/transport.ts';
import { type AsynqQueue, type AsynqQueueStatus, GROUP, KIND, PLURAL, VERSION } from '../asynq-queue.ts';
import type { QueueEvent, QueueKey, QueueSource } from '../ends.ts';
import type { ContentCache } from './content-cache.ts';
import type { NamespacedCache } from './namespaced-cache.ts';

/** An AsynqQueue as the API server gives it. */
export type AsynqQueueObject = AsynqQueue & KubeObject;

export const ASYNQ_QUEUES: Resource<AsynqQueueObject> = {
  group: GROUP,
  version: VERSION,
  kind: KIND,
  plural: PLURAL,
  namespaced: true,
};

const FIELD_MANAGER = 'asynq-operator/status';

/** AsynqQueues of the API server. Their status is applied as a whole: what it leaves out is taken away. */
export class KubernetesSource implements QueueSource {
  readonly #client: KubeClient;
  readonly #queues: NamespacedCache<AsynqQueueObject>;
  readonly #recorder: EventRecorder;
  readonly #contents: ContentCache;
  readonly #asLeader: () => CallOptions;

  constructor(parts: {
    readonly client: KubeClient;
    readonly queues: NamespacedCache<AsynqQueueObject>;
    readonly recorder: EventRecorder;
    readonly contents: ContentCache;
    /** What each write goes with, so that it ends with the leadership; throws when this process must not write (any more). */
    readonly asLeader: () => CallOptions;
  }) {
    this.#client = parts.client;
    this.#queues = parts.queues;
    this.#recorder = parts.recorder;
    this.#contents = parts.contents;
    this.#asLeader = parts.asLeader;
  }

  list(): readonly AsynqQueue[] {
    return this.#queues.list();
  }

  get(key: QueueKey): AsynqQueue | undefined {
    return this.#queues.get(key);
  }

  async writeStatus(queue: AsynqQueue, status: AsynqQueueStatus): Promise<void> {
    // The UID makes it a conflict if another AsynqQueue has taken the name meanwhile.
    const { namespace, name, uid } = queue.metadata;
    try {
      const written = await this.#client.apply(
        ASYNQ_QUEUES,
        { metadata: { namespace, name, uid }, status },
        { ...this.#asLeader(), fieldManager: FIELD_MANAGER, subresource: 'status' },
      );
      this.#queues.put(written);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  event(queue: AsynqQueue, { type, reason, action, message }: QueueEvent): void {
    const regarding = { ...queue, apiVersion: `${GROUP}/${VERSION}`, kind: KIND };
    this.#recorder.record(regarding, { type, reason, action, note: message });
  }

  async secret(namespace: string, name: string, key: string): Promise<string | undefined> {
    const value = (await this.#contents.secret(namespace, name))?.[key];
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
  }
}
