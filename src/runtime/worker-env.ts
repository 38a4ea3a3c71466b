import { isAddress } from './address.ts';
import { defined } from './defined.ts';
import { AsynqError } from './errors.ts';

/**
 * What a worker is told, as the environment of its container: written by the operator (and by `dev`), read by the worker
 * runtime, readable by a worker in any language. Names are part of the API.
 */
export interface WorkerEnv {
  readonly redis: {
    readonly mode: 'Cluster' | 'Standalone';
    readonly addrs: readonly string[];
    readonly db: number;
    readonly username?: string;
    readonly password?: string;
    /** Paths of PEM files; `{}` is TLS with the system's authorities. */
    readonly tls?: {
      readonly caFile?: string;
      readonly certFile?: string;
      readonly keyFile?: string;
      readonly serverName?: string;
    };
  };
  /** Queue name -> priority. */
  readonly queues: Readonly<Record<string, number>>;
  readonly concurrency: number;
  /** Path of the user's handler module. */
  readonly handlers: string;
  readonly shutdownTimeoutSeconds: number;
  /** When a group's tasks are made one; absent: the worker leaves groups alone. 0 is no limit. */
  readonly groups?: {
    readonly gracePeriodSeconds: number;
    readonly maxSize: number;
    readonly maxDelaySeconds: number;
  };
  /** Name of the pod: the host name of the server in Redis. */
  readonly podName?: string;
}

/** For a worker started by hand; the operator writes every variable. */
const DEFAULT_CONCURRENCY = 10;
const DEFAULT_SHUTDOWN_TIMEOUT_SECONDS = 8;

const MAX_INT32 = 2 ** 31 - 1;

/**
 * @throws ASYNQ_CONFIG_INVALID naming every variable that is wrong, what was expected and what came (never a password). A
 * variable that is set to nothing counts as absent.
 */
export function readWorkerEnv(env: Readonly<Record<string, string | undefined>>): WorkerEnv {
  const { groups, podName, ...others } = together({
    redis: () => readRedisEnv(env),
    queues: () => readQueues(env),
    concurrency: () => integer(env, 'ASYNQ_CONCURRENCY', 1, DEFAULT_CONCURRENCY),
    handlers: () => required(env, 'ASYNQ_HANDLERS', "the path of the module with the tasks' handlers"),
    shutdownTimeoutSeconds: () =>
      integer(env, 'ASYNQ_SHUTDOWN_TIMEOUT_SECONDS', 0, DEFAULT_SHUTDOWN_TIMEOUT_SECONDS),
    groups: () => readGroups(env),
    podName: () => text(env, 'POD_NAME'),
  });
  return { ...others, ...defined({ groups, podName }) };
}

/** The inverse of {@link readWorkerEnv}. */
export function writeWorkerEnv(worker: WorkerEnv): Record<string, string> {
  const { redis } = worker;
  return defined({
    ASYNQ_REDIS_MODE: redis.mode,
    ASYNQ_REDIS_ADDRS: redis.addrs.join(','),
    ASYNQ_REDIS_DB: String(redis.db),
    ASYNQ_REDIS_USERNAME: redis.username,
    ASYNQ_REDIS_PASSWORD: redis.password,
    ASYNQ_REDIS_TLS: redis.tls === undefined ? undefined : 'true',
    ASYNQ_REDIS_TLS_CA_FILE: redis.tls?.caFile,
    ASYNQ_REDIS_TLS_CERT_FILE: redis.tls?.certFile,
    ASYNQ_REDIS_TLS_KEY_FILE: redis.tls?.keyFile,
    ASYNQ_REDIS_TLS_SERVER_NAME: redis.tls?.serverName,
    ASYNQ_QUEUES: JSON.stringify(worker.queues),
    ASYNQ_CONCURRENCY: String(worker.concurrency),
    ASYNQ_HANDLERS: worker.handlers,
    ASYNQ_SHUTDOWN_TIMEOUT_SECONDS: String(worker.shutdownTimeoutSeconds),
    ASYNQ_GROUPS: worker.groups === undefined ? undefined : JSON.stringify(worker.groups),
    POD_NAME: worker.podName,
  });
}

type Env = Readonly<Record<string, string | undefined>>;

/** The part of it that says where Redis is. @throws ASYNQ_CONFIG_INVALID */
export function readRedisEnv(env: Env): WorkerEnv['redis'] {
  const { mode, addrs, db, tls } = together({
    mode: () => readMode(env),
    addrs: () => readAddrs(env),
    db: () => integer(env, 'ASYNQ_REDIS_DB', 0, 0),
    tls: () => readTls(env),
  });
  if (mode === 'Standalone' && addrs.length !== 1) {
    throw wrong('ASYNQ_REDIS_ADDRS', 'one address, as ASYNQ_REDIS_MODE is Standalone', addrs.join(','));
  }
  if (mode === 'Cluster' && db !== 0) {
    throw wrong('ASYNQ_REDIS_DB', '0, the only database of a Redis Cluster', String(db));
  }
  return defined({
    mode,
    addrs,
    db,
    username: text(env, 'ASYNQ_REDIS_USERNAME'),
    password: text(env, 'ASYNQ_REDIS_PASSWORD'),
    tls,
  });
}

/** What each reader gives, or one error with all that is wrong. */
function together<T extends object>(readers: { readonly [K in keyof T]: () => T[K] }): T {
  const read: Partial<T> = {};
  const faults: string[] = [];
  for (const key of Object.keys(readers) as (keyof T)[]) {
    try {
      read[key] = readers[key]();
    } catch (error) {
      if (!AsynqError.is(error, 'ASYNQ_CONFIG_INVALID')) throw error;
      faults.push(error.message);
    }
  }
  if (faults.length > 0) throw new AsynqError('ASYNQ_CONFIG_INVALID', faults.join('; '));
  return read as T;
}

function readMode(env: Env): WorkerEnv['redis']['mode'] {
  const mode = text(env, 'ASYNQ_REDIS_MODE') ?? 'Cluster';
  if (mode === 'Cluster' || mode === 'Standalone') return mode;
  throw wrong('ASYNQ_REDIS_MODE', 'Cluster or Standalone', mode);
}

function readAddrs(env: Env): string[] {
  const expected = 'a comma list of host:port';
  const addrs = required(env, 'ASYNQ_REDIS_ADDRS', expected)
    .split(',')
    .map((addr) => addr.trim());
  for (const addr of addrs) {
    // A URL is the likeliest mistake, and one that may carry a password.
    if (addr.includes('@')) throw wrong('ASYNQ_REDIS_ADDRS', expected);
    if (!isAddress(addr)) throw wrong('ASYNQ_REDIS_ADDRS', expected, addr);
  }
  return addrs;
}

function readTls(env: Env): WorkerEnv['redis']['tls'] {
  const enabled = text(env, 'ASYNQ_REDIS_TLS');
  if (enabled !== undefined && enabled !== 'true' && enabled !== 'false') {
    throw wrong('ASYNQ_REDIS_TLS', 'true or false', enabled);
  }
  const tls = defined({
    caFile: text(env, 'ASYNQ_REDIS_TLS_CA_FILE'),
    certFile: text(env, 'ASYNQ_REDIS_TLS_CERT_FILE'),
    keyFile: text(env, 'ASYNQ_REDIS_TLS_KEY_FILE'),
    serverName: text(env, 'ASYNQ_REDIS_TLS_SERVER_NAME'),
  });
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    const missing = tls.certFile === undefined ? 'ASYNQ_REDIS_TLS_CERT_FILE' : 'ASYNQ_REDIS_TLS_KEY_FILE';
    throw wrong(missing, 'a path: certificate and key go together', '');
  }
  const mentioned = Object.keys(tls).length > 0;
  return enabled === 'true' || (enabled === undefined && mentioned) ? tls : undefined;
}

function readQueues(env: Env): Record<string, number> {
  const expected = 'a JSON object of queue name -> priority (a whole number from 1), with at least one queue';
  const json = required(env, 'ASYNQ_QUEUES', expected);
  const queues = parseObject(json);
  const names = Object.keys(queues ?? {});
  if (queues === undefined || names.length === 0) throw wrong('ASYNQ_QUEUES', expected, json);
  for (const name of names) {
    if (name.trim() === '') throw wrong('ASYNQ_QUEUES', 'queue names that are not blank', json);
    if (!isIntegerFrom(queues[name], 1)) throw wrong('ASYNQ_QUEUES', expected, json);
  }
  return queues as Record<string, number>;
}

function readGroups(env: Env): WorkerEnv['groups'] {
  const json = text(env, 'ASYNQ_GROUPS');
  if (json === undefined) return undefined;
  const groups = parseObject(json);
  const { gracePeriodSeconds = 60, maxSize = 0, maxDelaySeconds = 0, ...others } = groups ?? {};
  const isGood =
    groups !== undefined &&
    Object.keys(others).length === 0 &&
    isIntegerFrom(gracePeriodSeconds, 1) &&
    isIntegerFrom(maxSize, 0) &&
    isIntegerFrom(maxDelaySeconds, 0);
  if (isGood) return { gracePeriodSeconds, maxSize, maxDelaySeconds } as NonNullable<WorkerEnv['groups']>;
  const expected =
    'a JSON object with gracePeriodSeconds (a whole number from 1), maxSize and maxDelaySeconds (from 0)';
  throw wrong('ASYNQ_GROUPS', expected, json);
}

function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function text(env: Env, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

function required(env: Env, name: string, expected: string): string {
  const value = text(env, name);
  if (value === undefined) throw wrong(name, expected, '');
  return value;
}

function integer(env: Env, name: string, least: number, fallback: number): number {
  const value = text(env, name);
  if (value === undefined) return fallback;
  if (!/^\d+$/.test(value) || !isIntegerFrom(Number(value), least)) {
    throw wrong(name, `a whole number from ${least}`, value);
  }
  return Number(value);
}

function isIntegerFrom(value: unknown, least: number): boolean {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= MAX_INT32;
}

/** Without `got`, what came is not shown: it may hold a secret. */
function wrong(name: string, expected: string, got?: string): AsynqError {
  const shown = got === undefined ? 'something else' : got === '' ? 'nothing' : JSON.stringify(got);
  return new AsynqError('ASYNQ_CONFIG_INVALID', `${name}: expected ${expected}, got ${shown}`);
}
