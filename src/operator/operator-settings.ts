import { isAddress, withoutSecrets } from '../runtime/address.ts';
import { defined } from '../runtime/defined.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { RedisSpec } from './asynq-queue.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The default connection of AsynqQueues without `spec.redis`, from the operator's environment: the variables of a worker,
 * with the names of Secrets (`ASYNQ_REDIS_PASSWORD_SECRET`, ...) in place of what they hold. undefined: there is none.
 *
 * @throws ASYNQ_CONFIG_INVALID naming the variable
 */
export function readOperatorDefault(env: Env): RedisSpec | undefined {
  const list = text(env, 'ASYNQ_REDIS_ADDRS');
  if (list === undefined) return undefined;
  const addrs = list.split(',').map((addr) => addr.trim());
  const odd = addrs.find((addr) => !isAddress(addr));
  if (odd !== undefined) throw wrong('ASYNQ_REDIS_ADDRS', 'host:port,host:port,...', odd);
  const mode = text(env, 'ASYNQ_REDIS_MODE') ?? 'Cluster';
  if (mode !== 'Cluster' && mode !== 'Standalone')
    throw wrong('ASYNQ_REDIS_MODE', 'Cluster or Standalone', mode);
  const db = text(env, 'ASYNQ_REDIS_DB');
  if (db !== undefined && !/^\d{1,5}$/.test(db)) throw wrong('ASYNQ_REDIS_DB', 'a whole number', db);
  if (mode === 'Cluster' && Number(db ?? 0) !== 0)
    throw wrong('ASYNQ_REDIS_DB', '0, as in a cluster', db ?? '');
  return defined({
    mode,
    addrs,
    db: mode === 'Standalone' ? Number(db ?? 0) : undefined,
    username: text(env, 'ASYNQ_REDIS_USERNAME'),
    passwordSecretRef: secretRef(env, 'ASYNQ_REDIS_PASSWORD_SECRET', 'password'),
    tls: tls(env),
  });
}

function tls(env: Env): RedisSpec['tls'] {
  const enabled = text(env, 'ASYNQ_REDIS_TLS') ?? 'false';
  if (enabled !== 'true' && enabled !== 'false') throw wrong('ASYNQ_REDIS_TLS', 'true or false', enabled);
  if (enabled === 'false') return undefined;
  const certSecret = text(env, 'ASYNQ_REDIS_TLS_CERT_SECRET');
  return defined({
    enabled: true,
    caSecretRef: secretRef(env, 'ASYNQ_REDIS_TLS_CA_SECRET', 'ca.crt'),
    certSecretRef: certSecret === undefined ? undefined : { name: certSecret },
    serverName: text(env, 'ASYNQ_REDIS_TLS_SERVER_NAME'),
  });
}

function secretRef(
  env: Env,
  variable: string,
  defaultKey: string,
): { name: string; key: string } | undefined {
  const name = text(env, variable);
  return name === undefined ? undefined : { name, key: text(env, `${variable}_KEY`) ?? defaultKey };
}

/** Set to nothing counts as absent. */
function text(env: Env, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

function wrong(name: string, expected: string, got: string): AsynqError {
  return new AsynqError('ASYNQ_CONFIG_INVALID', `${name}: expected ${expected}, got ${withoutSecrets(got)}`);
}
