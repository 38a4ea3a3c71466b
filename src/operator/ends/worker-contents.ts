import { type AsynqQueue, type RedisSpec, type WorkerSpec } from '../asynq-queue.ts';
import { digest } from '../desired-deployment.ts';
import { secretKeys } from '../redis-settings.ts';
import type { Refusal } from '../refusal.ts';
import type { ContentCache } from './content-cache.ts';

export type WorkerContents =
  | { readonly kind: 'found'; readonly checksum: string }
  | { readonly kind: 'missing'; readonly refusal: Refusal };

/** The Secrets and the ConfigMap that a worker is started with; the checksum changes when something in them does. */
export async function workerContents(
  queue: AsynqQueue,
  worker: WorkerSpec,
  redis: RedisSpec,
  contents: ContentCache,
): Promise<WorkerContents> {
  const { namespace } = queue.metadata;
  const parts: unknown[] = [];
  for (const { name, key } of secretKeys(redis)) {
    const value = (await contents.secret(namespace, name))?.[key];
    if (value === undefined) {
      return missing('RedisSecretMissing', `missing in ${namespace}: Secret ${name} with key ${key}`);
    }
    parts.push([name, key, value]);
  }
  const handlers = worker.handlers?.configMapRef;
  if (handlers !== undefined) {
    const files = await contents.configMap(namespace, handlers.name);
    if (files?.[handlers.key] === undefined) {
      const message = `missing in ${namespace}: ConfigMap ${handlers.name} with key ${handlers.key}`;
      return missing('HandlersMissing', message);
    }
    parts.push(files);
  }
  return { kind: 'found', checksum: digest(parts) };
}

function missing(reason: Refusal['reason'], message: string): WorkerContents {
  return { kind: 'missing', refusal: { reason, message } };
}
