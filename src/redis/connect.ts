import type { ConnectionOptions } from 'node:tls';
import { Redis } from 'ioredis';
import { parseAddress } from '../runtime/address.ts';
import type { Clock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import { Connection, unreachable } from './connection.ts';
import type { TlsOptions } from './options.ts';
import type { RedisReply } from './router.ts';

/** Scripts carry flags (`#!lua`), which came with this version. */
const OLDEST_MAJOR = 7;

const DIAL_TIMEOUT_MS = 5_000;

/** How a node is reached; the same for all nodes of a cluster. */
export interface DialOptions {
  /** `unix`: the address is the path of a socket. @default 'tcp' */
  readonly network?: 'tcp' | 'unix';
  readonly username?: string;
  readonly password?: string;
  readonly tls?: TlsOptions;
  readonly db?: number;
  /** Milliseconds, of the connection and of the first answer each. @default 5000 */
  readonly dialTimeout?: number;
}

/**
 * Connects and greets: the server knows who we are, its version is one we can work with, the database is chosen.
 * @throws ASYNQ_REDIS_UNREACHABLE, ASYNQ_REDIS_AUTH, ASYNQ_REDIS_VERSION, ASYNQ_REDIS_COMMAND (no such database)
 */
export async function connect(
  addr: string,
  options: DialOptions,
  parts: { clock: Clock; signal: AbortSignal },
): Promise<Connection> {
  const timeout = options.dialTimeout ?? DIAL_TIMEOUT_MS;
  const connection = new Connection(addr, driver(addr, options, timeout), parts.clock);
  const close = () => connection.close();
  parts.signal.addEventListener('abort', close, { once: true });
  try {
    parts.signal.throwIfAborted();
    await connection.open();
    await greet(connection, options, timeout);
    return connection;
  } catch (error) {
    connection.close();
    throw AsynqError.is(error) ? error : unreachable(addr, error);
  } finally {
    parts.signal.removeEventListener('abort', close);
  }
}

function driver(addr: string, { network, tls }: DialOptions, timeout: number): Redis {
  return new Redis({
    ...(network === 'unix' ? { path: addr } : parseAddress(addr)),
    ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
    protocol: 2,
    lazyConnect: true,
    connectTimeout: timeout,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    retryStrategy: () => null,
    disableClientInfo: true,
  });
}

function tlsOptions({ ca, cert, key, serverName, insecure }: TlsOptions): ConnectionOptions {
  return defined({ ca, cert, key, servername: serverName, rejectUnauthorized: insecure !== true });
}

async function greet(connection: Connection, options: DialOptions, timeout: number): Promise<void> {
  checkVersion(connection.addr, await hello(connection, options, timeout));
  const { db = 0 } = options;
  if (db !== 0) await connection.request('SELECT', [db], timeout);
}

/** HELLO, which logs in and says what server this is; its reply. */
async function hello(
  connection: Connection,
  { username, password }: DialOptions,
  timeout: number,
): Promise<RedisReply> {
  const auth = password === undefined ? [] : ['AUTH', username ?? 'default', password];
  try {
    return await connection.request('HELLO', [2, ...auth, 'SETNAME', 'asynq-operator'], timeout);
  } catch (error) {
    if (errorText(error).includes('unknown command')) throw tooOld(connection.addr, 'older than 6');
    if (errorText(error).includes('max number of clients')) throw unreachable(connection.addr, error);
    throw error;
  }
}

function checkVersion(addr: string, reply: RedisReply): void {
  const fields = Array.isArray(reply) ? reply.map(String) : [];
  const version = fields[fields.indexOf('version') + 1] ?? '';
  if (Number.parseInt(version, 10) < OLDEST_MAJOR) throw tooOld(addr, version);
}

function tooOld(addr: string, version: string): AsynqError {
  return new AsynqError(
    'ASYNQ_REDIS_VERSION',
    `expected Redis or Valkey ${OLDEST_MAJOR}.0 or newer at ${addr}, got ${version}`,
  );
}
