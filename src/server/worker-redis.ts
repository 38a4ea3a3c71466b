import { readFile } from 'node:fs/promises';
import type { RedisConnOpt, TlsOptions } from '../redis/options.ts';
import { defined } from '../runtime/defined.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import type { WorkerEnv } from '../runtime/worker-env.ts';

/**
 * Where a worker's Redis is, with the contents of the PEM files that its environment names.
 *
 * @throws ASYNQ_CONFIG_INVALID for a file that cannot be read
 */
export async function redisOf({ redis }: Pick<WorkerEnv, 'redis'>): Promise<RedisConnOpt> {
  const { username, password, addrs } = redis;
  const common = defined({ username, password, tls: redis.tls && (await tlsOf(redis.tls)) });
  const [addr = ''] = addrs;
  return redis.mode === 'Standalone' ? { ...common, addr, db: redis.db } : { ...common, addrs };
}

async function tlsOf(tls: NonNullable<WorkerEnv['redis']['tls']>): Promise<TlsOptions> {
  return defined({
    ca: await pem('ASYNQ_REDIS_TLS_CA_FILE', tls.caFile),
    cert: await pem('ASYNQ_REDIS_TLS_CERT_FILE', tls.certFile),
    key: await pem('ASYNQ_REDIS_TLS_KEY_FILE', tls.keyFile),
    serverName: tls.serverName,
  });
}

async function pem(variable: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const message = `${variable}: expected the path of a PEM file, got ${path}: ${errorText(cause)}`;
    throw new AsynqError('ASYNQ_CONFIG_INVALID', message, { cause });
  }
}
