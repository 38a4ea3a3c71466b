import { defined } from '../runtime/defined.ts';
import { type WorkerEnv, writeWorkerEnv } from '../runtime/worker-env.ts';
import { type AsynqQueue, queueName, type RedisSpec, type WorkerSpec } from './asynq-queue.ts';
import { type JsonObject, overlaid } from './overlay.ts';
import { TLS_CERT_KEY, TLS_KEY_KEY } from './redis-settings.ts';
import { isObject, type Json } from './structural-schema.ts';

/** The container that is told what to work on. */
export const WORKER_CONTAINER = 'worker';

/** Names, comma-separated, of further containers that are told. */
const INJECT_ANNOTATION = 'asynq.dev/inject';

/** Inside the package's own folder, so that `import ... from 'asynq-operator'` resolves in a handler. */
const HANDLERS_FOLDER = '/app/handlers';
const CA_FOLDER = '/etc/asynq/redis-ca';
const CERT_FOLDER = '/etc/asynq/redis-cert';

const PORT = 8080;
/** A worker that was stopped still writes down what became of its tasks. */
const AFTER_DRAIN_SECONDS = 15;

export interface TemplateInput {
  readonly queue: AsynqQueue;
  readonly worker: WorkerSpec;
  readonly redis: RedisSpec;
  /** For a worker that names none. */
  readonly defaultImage: string;
}

/** The pod spec of a queue's workers: hardened, told what to work on, with the user's overlay on top. */
export function workerPodSpec(input: TemplateInput): JsonObject {
  const { worker } = input;
  const { volumes, mounts } = files(input);
  const base: JsonObject = {
    automountServiceAccountToken: false,
    // Variables like REDIS_PORT, which a Service makes, must not reach a worker.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: worker.drainTimeoutSeconds + AFTER_DRAIN_SECONDS,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [workerContainer(input, mounts)],
    volumes,
  };
  const overlay = (worker.template?.spec ?? {}) as JsonObject;
  return injected(overlaid(base, overlay), input, mounts);
}

function workerContainer(input: TemplateInput, mounts: readonly JsonObject[]): JsonObject {
  const { worker, defaultImage } = input;
  return {
    name: WORKER_CONTAINER,
    image: worker.image ?? defaultImage,
    ...(worker.handlers === undefined ? {} : bundledRuntime()),
    env: environment(input),
    volumeMounts: [...mounts, { name: 'tmp', mountPath: '/tmp' }],
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
    },
  };
}

/** What holds for our own worker runtime only: other programs have arguments and ports of their own. */
function bundledRuntime(): JsonObject {
  return {
    args: ['worker', '--port', String(PORT)],
    ports: [{ name: 'http', containerPort: PORT, protocol: 'TCP' }],
    startupProbe: { ...ALIVE, periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { ...READY, periodSeconds: 2, failureThreshold: 3 },
    livenessProbe: { ...ALIVE, periodSeconds: 10, failureThreshold: 6 },
  };
}

const ALIVE = { httpGet: { path: '/healthz', port: 'http' }, timeoutSeconds: 5 };
const READY = { httpGet: { path: '/readyz', port: 'http' }, timeoutSeconds: 5 };

function environment({ queue, worker, redis }: TemplateInput): readonly JsonObject[] {
  const { ASYNQ_HANDLERS: handlers, ...variables } = writeWorkerEnv({
    redis: redisEnvironment(redis),
    queues: { [queueName(queue)]: 1 },
    concurrency: worker.concurrency,
    handlers: handlersPath(worker) ?? '',
    shutdownTimeoutSeconds: worker.drainTimeoutSeconds,
    ...defined({ groups: worker.groups }),
  });
  const told =
    handlers === '' || handlers === undefined ? variables : { ...variables, ASYNQ_HANDLERS: handlers };
  const { passwordSecretRef } = redis;
  return [
    ...Object.entries(told).map(([name, value]) => ({ name, value })),
    ...(passwordSecretRef === undefined
      ? []
      : [{ name: 'ASYNQ_REDIS_PASSWORD', valueFrom: { secretKeyRef: { ...passwordSecretRef } } }]),
    { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
  ];
}

function handlersPath({ handlers }: WorkerSpec): string | undefined {
  const { configMapRef, path } = handlers ?? {};
  return configMapRef === undefined ? path : `${HANDLERS_FOLDER}/${configMapRef.key}`;
}

function redisEnvironment({ mode, addrs, db = 0, username, tls }: RedisSpec): WorkerEnv['redis'] {
  const { caSecretRef, certSecretRef, serverName } = tls ?? {};
  return defined({
    mode,
    addrs,
    db,
    username,
    tls:
      tls?.enabled === true
        ? defined({
            caFile: caSecretRef && `${CA_FOLDER}/${caSecretRef.key}`,
            certFile: certSecretRef && `${CERT_FOLDER}/${TLS_CERT_KEY}`,
            keyFile: certSecretRef && `${CERT_FOLDER}/${TLS_KEY_KEY}`,
            serverName,
          })
        : undefined,
  });
}

/** Volumes of what is mounted, and where. */
function files({ worker, redis }: TemplateInput): {
  readonly volumes: readonly JsonObject[];
  readonly mounts: readonly JsonObject[];
} {
  const volumes: JsonObject[] = [];
  const mounts: JsonObject[] = [];
  const mount = (name: string, mountPath: string, source: JsonObject) => {
    volumes.push({ name, ...source });
    mounts.push({ name, mountPath, readOnly: true });
  };
  const configMap = worker.handlers?.configMapRef?.name;
  if (configMap !== undefined) mount('handlers', HANDLERS_FOLDER, { configMap: { name: configMap } });
  const tls = redis.tls?.enabled === true ? redis.tls : undefined;
  const { caSecretRef, certSecretRef } = tls ?? {};
  if (caSecretRef) mount('redis-ca', CA_FOLDER, { secret: { secretName: caSecretRef.name } });
  if (certSecretRef) mount('redis-cert', CERT_FOLDER, { secret: { secretName: certSecretRef.name } });
  return { volumes: [...volumes, { name: 'tmp', emptyDir: {} }], mounts };
}

/** Tells the containers that the pods' annotation names as well; what they say themselves stands. */
function injected(spec: JsonObject, input: TemplateInput, mounts: readonly JsonObject[]): JsonObject {
  const list = input.worker.template?.metadata?.annotations?.[INJECT_ANNOTATION];
  if (list === undefined) return spec;
  const names = new Set<Json | undefined>(list.split(',').map((name) => name.trim()));
  names.delete(WORKER_CONTAINER);
  const told = { env: environment(input), volumeMounts: mounts };
  const tell = (containers: Json | undefined) =>
    Array.isArray(containers)
      ? containers.map((item: Json) =>
          isObject(item) && names.has(item['name']) ? underlaid(item, told) : item,
        )
      : [];
  return {
    ...spec,
    containers: tell(spec['containers']),
    ...(spec['initContainers'] === undefined ? {} : { initContainers: tell(spec['initContainers']) }),
  };
}

function underlaid(own: JsonObject, told: JsonObject): JsonObject {
  const under = { containers: [{ name: own['name'] ?? '', ...told }] };
  const [merged] = overlaid(under, { containers: [own] })['containers'] as readonly JsonObject[];
  return merged ?? own;
}
