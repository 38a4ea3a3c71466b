import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { defined } from '../../runtime/defined.ts';
import { type WorkerEnv, writeWorkerEnv } from '../../runtime/worker-env.ts';
import { type AsynqQueue, keyOf, queueName, type RedisSpec, type WorkerSpec } from '../asynq-queue.ts';
import type { QueueSource } from '../ends.ts';
import { type RedisSettings, resolveRedis, TLS_CERT_KEY, TLS_KEY_KEY } from '../redis-settings.ts';
import type { Refusal } from '../refusal.ts';
import type { LocalTemplate } from './local-deployment.ts';
import type { FileTexts, MountedFiles } from './mounted-files.ts';

/** Where AsynqQueues come from that local workers serve. */
export interface LocalSource extends Pick<QueueSource, 'secret'> {
  /** The manifest that declares the AsynqQueue. */
  fileOf(key: string): string | undefined;
  configMap(namespace: string, name: string): FileTexts | undefined;
}

export interface LocalTemplateParts {
  readonly source: LocalSource;
  readonly operatorDefault: RedisSpec | undefined;
  readonly files: MountedFiles;
  /** What workers inherit. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type TemplateOrRefusal =
  | { readonly kind: 'ready'; readonly template: LocalTemplate }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * What the Deployment's pod template is in Kubernetes: all that a worker of the AsynqQueue is started with. Images and
 * most of `worker.template` have no meaning here; the worker is the bundled runtime, always.
 */
export async function localTemplate(
  queue: AsynqQueue,
  parts: LocalTemplateParts,
): Promise<TemplateOrRefusal> {
  const { worker } = queue.spec;
  if (worker?.handlers === undefined) {
    return refused(
      'InvalidTemplate',
      'without Kubernetes only the bundled worker runtime can run: it needs spec.worker.handlers',
    );
  }
  const redis = await resolveRedis(queue, parts.operatorDefault, parts.source);
  if (redis.kind === 'refused') return redis;
  const handlers = await handlersOf(queue, worker.handlers, parts);
  if (handlers.kind === 'refused') return handlers;

  const settings: WorkerEnv = {
    redis: await redisEnv(queue, redis.settings, parts.files),
    queues: { [queueName(queue)]: 1 },
    concurrency: worker.concurrency,
    handlers: handlers.path,
    shutdownTimeoutSeconds: worker.drainTimeoutSeconds,
    ...defined({ groups: worker.groups }),
  };
  const own = { ...literalEnv(worker), ...writeWorkerEnv(settings) };
  const template = {
    revision: digest([own, handlers.version]),
    env: { ...inherited(parts.env), ...own },
    drainTimeoutMs: worker.drainTimeoutSeconds * 1000,
  };
  return { kind: 'ready', template };
}

type Handlers = { readonly kind: 'found'; readonly path: string; readonly version: string };
type Refused = { readonly kind: 'refused'; readonly refusal: Refusal };

async function handlersOf(
  queue: AsynqQueue,
  { path, configMapRef }: NonNullable<WorkerSpec['handlers']>,
  { source, files }: LocalTemplateParts,
): Promise<Handlers | Refused> {
  const { namespace } = queue.metadata;
  const beside = (file: string) => resolve(dirname(source.fileOf(keyOf(queue)) ?? '.'), file);
  if (configMapRef === undefined) return moduleAt(beside(path ?? ''));
  const { name, key } = configMapRef;
  const texts = source.configMap(namespace, name);
  if (texts?.[key] !== undefined) {
    const folder = await files.mount(`handlers ${namespace}/${name}`, texts);
    return { kind: 'found', path: join(folder, key), version: folder };
  }
  const missing = `the manifests of ${namespace} hold no ConfigMap ${name} with key ${key}`;
  if (texts !== undefined) return refused('HandlersMissing', missing);
  // What `kubectl create configmap --from-file` was given.
  const file = await moduleAt(beside(key));
  return file.kind === 'found' ? file : refused('HandlersMissing', `${missing}, and ${file.refusal.message}`);
}

async function moduleAt(path: string): Promise<Handlers | Refused> {
  const version = await versionOf(path);
  if (version === undefined) return refused('HandlersMissing', `there is no module ${path}`);
  return { kind: 'found', path, version };
}

/** Changes when the file does, as far as a look from outside tells; undefined: it is not there. */
async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return undefined;
  }
}

async function redisEnv(
  queue: AsynqQueue,
  { spec, password, tls }: RedisSettings,
  files: MountedFiles,
): Promise<WorkerEnv['redis']> {
  return defined({
    mode: spec.mode,
    addrs: spec.addrs,
    db: spec.db ?? 0,
    username: spec.username,
    password,
    tls: tls && (await tlsEnv(queue, tls, files)),
  });
}

async function tlsEnv(
  queue: AsynqQueue,
  { ca, cert, key, serverName }: NonNullable<RedisSettings['tls']>,
  files: MountedFiles,
): Promise<NonNullable<WorkerEnv['redis']['tls']>> {
  const texts = defined({ 'ca.crt': ca, [TLS_CERT_KEY]: cert, [TLS_KEY_KEY]: key }) as FileTexts;
  const folder = await files.mount(`tls ${keyOf(queue)}`, texts);
  const pathOf = (name: string) => (texts[name] === undefined ? undefined : join(folder, name));
  return defined({
    caFile: pathOf('ca.crt'),
    certFile: pathOf(TLS_CERT_KEY),
    keyFile: pathOf(TLS_KEY_KEY),
    serverName,
  });
}

/** Variables that `worker.template` gives the container `worker` as plain values. */
function literalEnv(worker: WorkerSpec): Record<string, string> {
  const { containers } = (worker.template?.spec ?? {}) as { containers?: readonly ContainerOverlay[] };
  const variables = containers?.find(({ name }) => name === 'worker')?.env ?? [];
  return Object.fromEntries(
    variables.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
  );
}

interface ContainerOverlay {
  readonly name?: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

/** Nothing that speaks to a worker of ours may come in from around. */
function inherited(env: LocalTemplateParts['env']): Record<string, string> {
  const entries = Object.entries(env).filter(([name]) => !name.startsWith('ASYNQ_') && name !== 'POD_NAME');
  return defined(Object.fromEntries(entries)) as Record<string, string>;
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}

function refused(reason: Refusal['reason'], message: string): Refused {
  return { kind: 'refused', refusal: { reason, message } };
}
