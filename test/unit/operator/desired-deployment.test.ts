import { describe, expect, it } from 'vitest';
import { canonical } from '../../../src/operator/canonical.ts';
import {
  type DeploymentInput,
  desiredDeployment,
  intentHash,
} from '../../../src/operator/desired-deployment.ts';
import { readWorkerEnv } from '../../../src/runtime/worker-env.ts';
import { queueOf } from './builders.ts';

type Worker = DeploymentInput['worker'];
const WORKER: Worker = {
  handlers: { configMapRef: { name: 'image-handlers', key: 'index.mjs' } },
  concurrency: 20,
  drainTimeoutSeconds: 60,
};

function input(worker: Partial<Worker> = {}, more: Partial<DeploymentInput> = {}): DeploymentInput {
  return {
    queue: queueOf({ name: 'imagenes', namespace: 'media' }, { queue: 'imágenes, "{x}"' }),
    worker: { ...WORKER, ...worker },
    redis: { mode: 'Cluster', addrs: ['redis-0:6379', 'redis-1:6379'] },
    defaultImage: 'asynq-operator:1',
    checksum: 'abc',
    ...more,
  };
}

/** As much of a Deployment as the tests look at. */
interface Spec {
  readonly selector: { readonly matchLabels: Record<string, string> };
  readonly template: {
    readonly metadata: { labels: Record<string, string>; annotations: Record<string, string> };
    readonly spec: {
      readonly containers: readonly {
        name: string;
        image?: string;
        args?: readonly string[];
        env?: readonly { name: string; value?: string; valueFrom?: object }[];
        volumeMounts?: readonly object[];
      }[];
      readonly volumes: readonly object[];
      readonly [field: string]: unknown;
    };
  };
}

const specOf = (given: DeploymentInput) => desiredDeployment(given).spec as unknown as Spec;
const containerOf = (given: DeploymentInput, wanted = 'worker') =>
  specOf(given).template.spec.containers.find(({ name }) => name === wanted);
const plainEnv = (given: DeploymentInput, wanted?: string) =>
  Object.fromEntries((containerOf(given, wanted)?.env ?? []).map(({ name, value }) => [name, value]));

describe('the Deployment of a queue', () => {
  it('is named after the AsynqQueue and owned by it', () => {
    expect(desiredDeployment(input()).metadata).toMatchObject({
      namespace: 'media',
      name: 'imagenes-worker',
      labels: { 'app.kubernetes.io/managed-by': 'asynq-operator', 'asynq.dev/asynqqueue': 'imagenes' },
      annotations: { 'asynq.dev/queue': 'imágenes, "{x}"' },
      ownerReferences: [
        {
          apiVersion: 'asynq.dev/v1alpha1',
          kind: 'AsynqQueue',
          name: 'imagenes',
          uid: 'uid-imagenes',
          controller: true,
        },
      ],
    });
  });

  it('leaves the number of replicas out', () => {
    expect(desiredDeployment(input()).spec).not.toHaveProperty('replicas');
  });

  it('selects its pods by labels that no overlay takes away', () => {
    const spec = specOf(
      input({ template: { metadata: { labels: { 'asynq.dev/asynqqueue': 'other', team: 'media' } } } }),
    );
    expect(spec.template.metadata.labels).toMatchObject({ ...spec.selector.matchLabels, team: 'media' });
    expect(spec.selector.matchLabels).toEqual({ 'asynq.dev/asynqqueue': 'imagenes' });
  });

  it('tells the worker all that it reads', () => {
    expect(readWorkerEnv(plainEnv(input()))).toEqual({
      redis: { mode: 'Cluster', addrs: ['redis-0:6379', 'redis-1:6379'], db: 0 },
      queues: { 'imágenes, "{x}"': 1 },
      concurrency: 20,
      handlers: '/app/handlers/index.mjs',
      shutdownTimeoutSeconds: 60,
    });
    expect(containerOf(input())?.env).toContainEqual({
      name: 'POD_NAME',
      valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } },
    });
  });

  it('tells the worker when groups are ready, where its queue has groups', () => {
    const groups = { gracePeriodSeconds: 5, maxSize: 20, maxDelaySeconds: 0 };
    expect(readWorkerEnv(plainEnv(input({ groups }))).groups).toEqual(groups);
    expect(plainEnv(input())).not.toHaveProperty('ASYNQ_GROUPS');
  });

  it('refers to Secrets and never holds what is in them', () => {
    const redis = {
      mode: 'Cluster',
      addrs: ['redis:6379'],
      username: 'worker',
      passwordSecretRef: { name: 'redis', key: 'password' },
      tls: {
        enabled: true,
        caSecretRef: { name: 'ca', key: 'ca.crt' },
        certSecretRef: { name: 'cert' },
        serverName: 'redis.internal',
      },
    } as const;
    const given = input({}, { redis });
    expect(containerOf(given)?.env).toContainEqual({
      name: 'ASYNQ_REDIS_PASSWORD',
      valueFrom: { secretKeyRef: { name: 'redis', key: 'password' } },
    });
    expect(readWorkerEnv(plainEnv(given)).redis).toMatchObject({
      username: 'worker',
      tls: {
        caFile: '/etc/asynq/redis-ca/ca.crt',
        certFile: '/etc/asynq/redis-cert/tls.crt',
        keyFile: '/etc/asynq/redis-cert/tls.key',
        serverName: 'redis.internal',
      },
    });
    expect(specOf(given).template.spec.volumes).toMatchObject([
      { name: 'handlers', configMap: { name: 'image-handlers' } },
      { name: 'redis-ca', secret: { secretName: 'ca' } },
      { name: 'redis-cert', secret: { secretName: 'cert' } },
      { name: 'tmp' },
    ]);
  });

  it('gives a worker longer to end than its tasks', () => {
    expect(specOf(input()).template.spec['terminationGracePeriodSeconds']).toBe(75);
    expect(plainEnv(input())['ASYNQ_SHUTDOWN_TIMEOUT_SECONDS']).toBe('60');
  });

  it('runs our arguments and probes for handlers only: other programs have their own', () => {
    expect(containerOf(input())?.args).toEqual(['worker', '--port', '8080']);
    const { handlers: _, ...own } = WORKER;
    const container = containerOf({ ...input(), worker: { ...own, image: 'mine:1' } });
    expect(container).toMatchObject({ image: 'mine:1' });
    for (const field of ['args', 'readinessProbe', 'livenessProbe', 'startupProbe', 'ports']) {
      expect(container).not.toHaveProperty(field);
    }
    expect(container?.env?.map(({ name }) => name)).not.toContain('ASYNQ_HANDLERS');
  });

  it('fits the restricted Pod Security Standard', () => {
    const { spec } = specOf(input()).template;
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
            readOnlyRootFilesystem: true,
          },
        },
      ],
    });
  });

  it('tells further containers by annotation, where their own words stand', () => {
    const given = input({
      template: {
        metadata: { annotations: { 'asynq.dev/inject': 'go-worker , worker' } },
        spec: {
          containers: [
            { name: 'go-worker', image: 'go', env: [{ name: 'ASYNQ_CONCURRENCY', value: '3' }] },
            { name: 'proxy', image: 'mesh' },
          ],
        },
      },
    });
    expect(plainEnv(given, 'go-worker')).toMatchObject({
      ASYNQ_CONCURRENCY: '3',
      ASYNQ_REDIS_MODE: 'Cluster',
    });
    expect(containerOf(given, 'go-worker')).toMatchObject({ image: 'go' });
    expect(containerOf(given, 'proxy')).toEqual({ name: 'proxy', image: 'mesh' });
    expect(containerOf(given)).toEqual(containerOf(input()));
  });
});

describe('the hash of an intent', () => {
  it('is the same for the same wish, in whatever order it is written', () => {
    const reordered = JSON.parse(canonical(input())) as DeploymentInput;
    expect(intentHash(desiredDeployment(reordered))).toBe(intentHash(desiredDeployment(input())));
  });

  it.each([
    ['the content of a Secret or ConfigMap', input({}, { checksum: 'other' })],
    ['the image', input({ image: 'mine:2' })],
    ['a field that is taken away', input({ deployment: { minReadySeconds: 5 } })],
  ])('changes with %s', (_, other) => {
    expect(intentHash(desiredDeployment(other))).not.toBe(intentHash(desiredDeployment(input())));
  });
});
