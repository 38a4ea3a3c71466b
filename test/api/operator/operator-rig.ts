import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import { afterAll } from 'vitest';
import { RedisQueueReader } from '../../../src/broker/redis-queue-reader.ts';
import { KubeClient, type KubeClientOptions } from '../../../src/kube/api.ts';
import { loadKubeConfig } from '../../../src/kube/config.ts';
import { isNotFound } from '../../../src/kube/kube-error.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  type Deployment,
  EVENTS,
  type KubeEvent,
  PODS,
  type Pod,
  SECRETS,
} from '../../../src/kube/resources.ts';
import type { AsynqQueueStatus, Condition } from '../../../src/operator/asynq-queue.ts';
import { ASYNQ_QUEUES, type AsynqQueueObject } from '../../../src/operator/ends/kubernetes-source.ts';
import { kubeMetrics } from '../../../src/operator/kube-metrics.ts';
import { Operator, type OperatorOptions } from '../../../src/operator/operator.ts';
import { openRedis } from '../../../src/redis/open.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { type AuditEvent, isWrite } from '../../lab/audit-log.ts';
import { auditEvents, testKube, testNamespace } from '../../support/kube.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { until } from '../../support/until.ts';

/** Looks of the operator at its queues, milliseconds: faster than in earnest, so that tests need not wait. */
const TICK_MS = 200;
const PATIENCE = { timeout: 20_000, interval: 100 };

export interface RunningOperator extends AsyncDisposable {
  readonly operator: Operator;
  /** By which the audit log knows it. */
  readonly userAgent: string;
  readonly registry: Registry;
  readonly log: RecordingLogger;
  /** What it wrote so far, without Events, which may come a while after what they tell of. */
  writes(): Promise<AuditEvent[]>;
}

/** A namespace of the shared API server, and operators that serve nothing else. */
export class OperatorRig {
  readonly namespace: string;
  readonly client: KubeClient;

  constructor(namespace: string, client: KubeClient) {
    this.namespace = namespace;
    this.client = client;
  }

  /** `kubeconfig`: of whom it is. @default an administrator; `makeClient`: for one that fails */
  async start(
    options: Partial<OperatorOptions> = {},
    kubeconfig: string = testKube().kubeconfig,
    makeClient = (parts: KubeClientOptions): KubeClient => new KubeClient(parts),
  ): Promise<RunningOperator> {
    const userAgent = `asynq-operator-test/${randomUUID().slice(0, 8)}`;
    const registry = new Registry();
    const log = new RecordingLogger();
    const client = makeClient({
      credentials: await loadKubeConfig({ path: kubeconfig }),
      userAgent,
      log,
      observer: kubeMetrics(registry),
    });
    const operator = new Operator({
      client,
      namespaces: [this.namespace],
      instance: 'rig',
      defaultImage: 'asynq-operator:test',
      redis: {
        open: (redis) => openRedis(redis, { clock: systemClock, log }),
        reader: (router) => new RedisQueueReader(router),
      },
      registry,
      tickMs: TICK_MS,
      contentBelievedMs: 1_000,
      ...options,
    });
    const running = operator.run();
    return {
      operator,
      userAgent,
      registry,
      log,
      writes: () =>
        auditEvents(
          (event) =>
            event.userAgent === userAgent && isWrite(event) && event.objectRef?.resource !== 'events',
        ),
      [Symbol.asyncDispose]: async () => {
        await operator.stop();
        await running;
        await client.close();
      },
    };
  }

  /** As somebody applies it with `kubectl apply --server-side`. */
  apply(name: string, spec: object): Promise<AsynqQueueObject> {
    const metadata = { namespace: this.namespace, name };
    return this.client.apply(ASYNQ_QUEUES, { metadata, spec }, { fieldManager: 'somebody' });
  }

  delete(name: string): Promise<boolean> {
    return this.client.delete(ASYNQ_QUEUES, { namespace: this.namespace, name });
  }

  async secret(name: string, stringData: Record<string, string>): Promise<void> {
    await this.client.apply(SECRETS, this.#named(name, { stringData }), { fieldManager: 'somebody' });
  }

  async configMap(name: string, data: Record<string, string>): Promise<void> {
    await this.client.apply(CONFIG_MAPS, this.#named(name, { data }), { fieldManager: 'somebody' });
  }

  async status(name: string): Promise<AsynqQueueStatus> {
    return (await this.client.get(ASYNQ_QUEUES, { namespace: this.namespace, name })).status ?? {};
  }

  async condition(name: string, type: string): Promise<Condition | undefined> {
    return (await this.status(name)).conditions?.find((condition) => condition.type === type);
  }

  /** Waits until the AsynqQueue's condition has that status and, if given, that reason. */
  untilCondition(
    name: string,
    type: string,
    status: Condition['status'],
    reason?: string,
  ): Promise<Condition> {
    return until(
      async () => {
        const condition = await this.condition(name, type);
        const isSo = condition?.status === status && (reason === undefined || condition.reason === reason);
        if (!isSo) throw new Error(`${name} ${type}: ${JSON.stringify(condition)}`);
        return condition;
      },
      { ...PATIENCE, what: `${name} ${type}=${status} ${reason ?? ''}` },
    );
  }

  deployment(name: string): Promise<Deployment> {
    return this.client.get(DEPLOYMENTS, { namespace: this.namespace, name });
  }

  /** Waits until the Deployment is so. */
  untilDeployment(
    name: string,
    isSo: (deployment: Deployment) => boolean,
    what: string,
  ): Promise<Deployment> {
    return until(
      async () => {
        const deployment = await this.deployment(name);
        if (!isSo(deployment)) throw new Error(JSON.stringify(deployment.spec?.replicas));
        return deployment;
      },
      { ...PATIENCE, what: `${name}: ${what}` },
    );
  }

  untilReplicas(name: string, isSo: (replicas: number) => boolean): Promise<Deployment> {
    return this.untilDeployment(
      name,
      ({ spec }) => isSo(spec?.replicas ?? 1),
      `replicas (${isSo.toString()})`,
    );
  }

  /** Waits until none of that name is left, or only one that is going. */
  untilGone(name: string): Promise<boolean> {
    return until(
      async () => {
        const { items } = await this.client.list(DEPLOYMENTS, {
          namespace: this.namespace,
          fieldSelector: `metadata.name=${name}`,
        });
        return items.length === 0;
      },
      // The garbage collector looks for new kinds of owners twice a minute.
      { ...PATIENCE, timeout: 50_000, what: `${name} to be collected` },
    );
  }

  async pods(queue: string): Promise<readonly Pod[]> {
    const { items } = await this.client.list(PODS, {
      namespace: this.namespace,
      labelSelector: `asynq.dev/asynqqueue=${queue}`,
    });
    return items;
  }

  /** Plays the kubelet: gives each pod of the queue that has none the status of `of`; resolves when all have it. */
  async playKubelet(queue: string, count: number, of: (pod: Pod) => object): Promise<void> {
    const pods = await until(
      async () => {
        const found = await this.pods(queue);
        return found.length >= count && found;
      },
      { ...PATIENCE, what: `${count} pods of ${queue}` },
    );
    for (const pod of pods) {
      const ref = { namespace: this.namespace, name: pod.metadata.name };
      const options = { fieldManager: 'kubelet', subresource: 'status' } as const;
      await this.client.mergePatch(PODS, ref, { status: of(pod) }, options).catch((error: unknown) => {
        // It may be gone by now: a fleet that fails is made smaller.
        if (!isNotFound(error)) throw error;
      });
    }
  }

  /** Waits for an Event of that reason about the AsynqQueue. */
  untilEvent(name: string, reason: string): Promise<KubeEvent> {
    return until(
      async () => {
        const { items } = await this.client.list(EVENTS, { namespace: this.namespace });
        return items.find((event) => event.regarding?.name === name && event.reason === reason);
      },
      { ...PATIENCE, what: `an Event ${reason} about ${name}` },
    );
  }

  /** Who owns which fields of the Deployment. */
  async owners(name: string): Promise<Record<string, string>> {
    const { metadata } = await this.deployment(name);
    return Object.fromEntries(
      (metadata.managedFields ?? []).map((entry) => [
        [entry.manager, entry.operation, entry.subresource].filter(Boolean).join(' '),
        JSON.stringify(entry.fieldsV1),
      ]),
    );
  }

  #named(name: string, fields: object): { metadata: { namespace: string; name: string } } {
    return { metadata: { namespace: this.namespace, name }, ...fields };
  }
}

/** A rig with a namespace of its own; call it in `beforeAll`. */
export async function operatorRig(label: string): Promise<OperatorRig> {
  const credentials = await loadKubeConfig({ path: testKube().kubeconfig });
  const client = new KubeClient({ credentials, userAgent: `rig-${label}/1` });
  afterAll(() => client.close());
  return new OperatorRig(await testNamespace(label), client);
}

/** What a kubelet says of a worker that is ready. */
export function readyStatus(pod: Pod): object {
  const image = pod.spec?.containers[0]?.image ?? '';
  const now = new Date().toISOString().replace(/\.\d{3}Z$/, 'Z');
  return {
    phase: 'Running',
    conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime: now,
    })),
    containerStatuses: [
      {
        name: 'worker',
        image,
        imageID: '',
        ready: true,
        restartCount: 0,
        state: { running: { startedAt: now } },
      },
    ],
  };
}

/** What a kubelet says of a worker that ends as soon as it starts. */
export function crashingStatus(words: string): (pod: Pod) => object {
  return (pod) => ({
    phase: 'Running',
    containerStatuses: [
      {
        name: 'worker',
        image: pod.spec?.containers[0]?.image ?? '',
        imageID: '',
        ready: false,
        restartCount: 4,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } },
        lastState: { terminated: { exitCode: 1, reason: 'Error', message: words } },
      },
    ],
  });
}
