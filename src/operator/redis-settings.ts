import { isForbidden } from '../kube/kube-error.ts';
import type { RedisClientOpt, RedisClusterClientOpt, TlsOptions } from '../redis/options.ts';
import { defined } from '../runtime/defined.ts';
import { type AsynqQueue, type RedisSpec, redisOf } from './asynq-queue.ts';
import type { QueueSource } from './ends.ts';
import type { Refusal } from './refusal.ts';

/** A queue's connection with what its Secrets hold. */
export interface RedisSettings {
  readonly spec: RedisSpec;
  readonly password?: string;
  readonly tls?: TlsOptions;
}

export type ResolvedSettings =
  | { readonly kind: 'ready'; readonly settings: RedisSettings }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Keys of a Secret of type kubernetes.io/tls. */
export const TLS_CERT_KEY = 'tls.crt';
export const TLS_KEY_KEY = 'tls.key';

interface SecretKey {
  readonly name: string;
  readonly key: string;
}

/** All that a connection needs from Secrets. */
export function secretKeys({ passwordSecretRef, tls }: RedisSpec): readonly SecretKey[] {
  const { ca, cert, key } = tlsKeys(tls);
  return [passwordSecretRef, ca, cert, key].filter((ref) => ref !== undefined);
}

function tlsKeys(tls: RedisSpec['tls']): {
  readonly ca?: SecretKey | undefined;
  readonly cert?: SecretKey;
  readonly key?: SecretKey;
} {
  if (tls?.enabled !== true) return {};
  const { caSecretRef: ca, certSecretRef } = tls;
  if (certSecretRef === undefined) return { ca };
  const { name } = certSecretRef;
  return { ca, cert: { name, key: TLS_CERT_KEY }, key: { name, key: TLS_KEY_KEY } };
}

/** Looks up the Secrets that a queue's connection refers to, all of them in the queue's namespace. Rejects as the source does. */
export async function resolveRedis(
  queue: AsynqQueue,
  operatorDefault: RedisSpec | undefined,
  source: Pick<QueueSource, 'secret'>,
): Promise<ResolvedSettings> {
  const spec = redisOf(queue, operatorDefault);
  if (spec === undefined) {
    return refused(
      'RedisNotConfigured',
      'spec.redis is absent, and there is no default connection: ASYNQ_REDIS_ADDRS names none',
    );
  }
  const { namespace } = queue.metadata;
  const missing: string[] = [];
  const forbidden: string[] = [];
  const look = async (ref: SecretKey | undefined) => {
    if (ref === undefined) return undefined;
    try {
      const value = await source.secret(namespace, ref.name, ref.key);
      if (value === undefined) missing.push(`Secret ${ref.name} with key ${ref.key}`);
      return value;
    } catch (error) {
      if (!isForbidden(error)) throw error;
      forbidden.push(ref.name);
      return undefined;
    }
  };
  const refs = tlsKeys(spec.tls);
  const password = await look(spec.passwordSecretRef);
  const [ca, cert, key] = [await look(refs.ca), await look(refs.cert), await look(refs.key)];
  if (forbidden.length > 0) {
    const names = [...new Set(forbidden)].join(', ');
    const message = `the operator may not read in ${namespace}: Secret ${names}`;
    return refused('RedisSecretForbidden', message);
  }
  if (missing.length > 0) {
    return refused('RedisSecretMissing', `missing in ${namespace}: ${missing.join(', ')}`);
  }
  const tls =
    spec.tls?.enabled === true ? defined({ ca, cert, key, serverName: spec.tls.serverName }) : undefined;
  return { kind: 'ready', settings: defined({ spec, password, tls }) };
}

function refused(reason: Refusal['reason'], message: string): ResolvedSettings {
  return { kind: 'refused', refusal: { reason, message } };
}

/** What a queue may name: a server or a cluster. */
export type QueueRedisOpt = RedisClientOpt | RedisClusterClientOpt;

/** As the redis layer takes it. */
export function connectionOptions({ spec, password, tls }: RedisSettings): QueueRedisOpt {
  const common = defined({ username: spec.username, password, tls });
  const [addr = ''] = spec.addrs;
  return spec.mode === 'Standalone'
    ? { ...common, addr, db: spec.db ?? 0 }
    : { ...common, addrs: spec.addrs };
}
