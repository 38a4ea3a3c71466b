import { createHash } from 'node:crypto';
import { defined } from '../runtime/defined.ts';
import { GROUP, KIND, ownWorkerName, queueName, VERSION } from './asynq-queue.ts';
import { canonical } from './canonical.ts';
import type { JsonObject } from './overlay.ts';
import { type TemplateInput, WORKER_CONTAINER, workerPodSpec } from './worker-template.ts';

/** On pods: the AsynqQueue that they serve. Selects them. */
export const QUEUE_LABEL = 'asynq.dev/asynqqueue';
/** On Deployments: what we applied last, so that a field which is not wanted any more is noticed. */
const INTENT_ANNOTATION = 'asynq.dev/intent';
/** On pods: of Secrets and ConfigMaps, so that a change of theirs rolls the workers. */
const CHECKSUM_ANNOTATION = 'asynq.dev/checksum';
/** The queue's own name: any UTF-8, which a label cannot hold. */
const NAME_ANNOTATION = 'asynq.dev/queue';

export interface DeploymentInput extends TemplateInput {
  /** Of what the Secrets and ConfigMaps hold. */
  readonly checksum: string;
}

/** What is applied: all the fields that we own, without the number of replicas. */
export type DeploymentIntent = {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly annotations: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly spec: JsonObject;
};

/** The Deployment of a queue's workers. */
export function desiredDeployment(input: DeploymentInput): DeploymentIntent {
  const { queue, worker, checksum } = input;
  const { name, namespace, uid } = queue.metadata;
  const { labels, annotations, strategy, minReadySeconds, revisionHistoryLimit } = worker.deployment ?? {};
  const pods = worker.template?.metadata ?? {};
  const ownLabels = {
    'app.kubernetes.io/name': 'asynq-worker',
    'app.kubernetes.io/instance': name,
    'app.kubernetes.io/component': 'worker',
    'app.kubernetes.io/managed-by': 'asynq-operator',
    [QUEUE_LABEL]: name,
  };
  const named = { [NAME_ANNOTATION]: queueName(queue) };
  const spec = defined({
    selector: { matchLabels: { [QUEUE_LABEL]: name } },
    strategy,
    minReadySeconds,
    revisionHistoryLimit,
    template: {
      metadata: {
        labels: { ...pods.labels, ...ownLabels },
        annotations: {
          'kubectl.kubernetes.io/default-container': WORKER_CONTAINER,
          ...pods.annotations,
          ...named,
          [CHECKSUM_ANNOTATION]: checksum,
        },
      },
      spec: workerPodSpec(input),
    },
  });
  const metadata = {
    namespace,
    name: ownWorkerName(queue),
    labels: { ...labels, ...ownLabels },
    annotations: { ...annotations, ...named },
    ownerReferences: [
      {
        apiVersion: `${GROUP}/${VERSION}`,
        kind: KIND,
        name,
        uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  };
  const intent = digest([metadata, spec]);
  return {
    metadata: { ...metadata, annotations: { ...metadata.annotations, [INTENT_ANNOTATION]: intent } },
    spec,
  };
}

/** By which two intents are told apart. */
export function intentHash({ metadata }: DeploymentIntent): string {
  return metadata.annotations[INTENT_ANNOTATION] ?? '';
}

/** Short, and the same for the same value whatever the order of its fields. */
export function digest(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16);
}
