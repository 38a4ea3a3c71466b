import { AsynqError } from '../runtime/errors.ts';
import { isAddress, withoutSecrets } from './address.ts';
import type { RedisClientOpt } from './options.ts';

const DEFAULT_PORT = 6379;

/** Whether `value` is meant as a URI: an address has no `//`. */
export function isRedisUri(value: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(value);
}

/**
 * The server of `redis://[[user]:password@]host[:port][/db]`; `rediss://` is the same over TLS (asynq `ParseRedisURI`).
 * User and password may be percent-encoded. Sockets and sentinels have no place here.
 *
 * @throws ASYNQ_CONFIG_INVALID, with no password in its text
 */
export function parseRedisUri(uri: string): RedisClientOpt {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined || (url.protocol !== 'redis:' && url.protocol !== 'rediss:')) {
    throw invalid('redis://host:port/db or rediss://host:port/db', uri);
  }
  const addr = `${url.hostname}:${url.port === '' ? DEFAULT_PORT : url.port}`;
  if (!isAddress(addr)) throw invalid('a host and a port in the Redis URI', uri);
  const db = /^\/?(\d{0,9})$/.exec(url.pathname)?.[1];
  if (db === undefined || url.search !== '' || url.hash !== '') {
    throw invalid('nothing but the number of a database behind the host of the Redis URI', uri);
  }
  return {
    addr,
    ...(db !== '' && { db: Number(db) }),
    ...(url.username !== '' && { username: decoded(url.username, uri) }),
    ...(url.password !== '' && { password: decoded(url.password, uri) }),
    ...(url.protocol === 'rediss:' && { tls: {} }),
  };
}

function decoded(part: string, uri: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid('user and password of the Redis URI percent-encoded', uri);
  }
}

function invalid(expected: string, uri: string): AsynqError {
  return new AsynqError('ASYNQ_CONFIG_INVALID', `expected ${expected}, got ${withoutSecrets(uri)}`);
}
