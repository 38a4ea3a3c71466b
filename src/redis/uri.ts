import { isAddress, withoutSecrets } from '../runtime/address.ts';
import { defined } from '../runtime/defined.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { RedisClientOpt, RedisFailoverClientOpt } from './options.ts';

const DEFAULT_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26_379;

const NOTHING_MORE = 'nothing but the number of a database behind the host of the Redis URI';

/** Whether `value` is meant as a URI: an address has no `//`. */
export function isRedisUri(value: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(value);
}

/** What a URI can name. */
export type RedisUriOpt = RedisClientOpt | RedisFailoverClientOpt;

/**
 * The server, or the master of a set with sentinels, that a URI names (asynq `ParseRedisURI`):
 *
 * - `redis://[[user]:password@]host[:port][/db]`; `rediss://` is the same over TLS
 * - `redis-socket://[[user]:password@]/path[?db=n]`: a socket of this machine
 * - `redis-sentinel://[[user]:password@]host[:port][,...][/db]?master=name`: user and password are the sentinels', as in
 *   Go; those of the master are options besides
 *
 * User and password may be percent-encoded. Ports are 6379, of sentinels 26379, unless given.
 *
 * @throws ASYNQ_CONFIG_INVALID, with no password in its text
 */
export function parseRedisUri(uri: string): RedisUriOpt {
  const [, scheme = ''] = /^([a-z-]+):\/\//i.exec(uri) ?? [];
  switch (scheme.toLowerCase()) {
    case 'redis':
    case 'rediss':
      return serverOf(uri);
    case 'redis-socket':
      return socketOf(uri);
    case 'redis-sentinel':
      return failoverOf(uri);
    default:
      throw invalid('a URI that begins with redis://, rediss://, redis-socket:// or redis-sentinel://', uri);
  }
}

function serverOf(uri: string): RedisClientOpt {
  if (!URL.canParse(uri)) throw invalid('redis://host:port/db or rediss://host:port/db', uri);
  const url = new URL(uri);
  const addr = `${url.hostname}:${url.port === '' ? DEFAULT_PORT : url.port}`;
  if (!isAddress(addr)) throw invalid('a host and a port in the Redis URI', uri);
  if (url.search !== '' || url.hash !== '') throw invalid(NOTHING_MORE, uri);
  return {
    addr,
    ...databaseOf(url.pathname.slice(1), uri),
    ...loginOf(url, uri),
    ...(url.protocol === 'rediss:' && { tls: {} }),
  };
}

function socketOf(uri: string): RedisClientOpt {
  const { hosts, url } = withoutHosts(uri, 'redis-socket:///path?db=n');
  const path = decoded(url.pathname, uri);
  if (path === '' || path === '/' || hosts !== '') {
    throw invalid('a path and no host in the URI of a Redis socket', uri);
  }
  const db = url.searchParams.get('db') ?? '';
  return { network: 'unix', addr: path, ...databaseOf(db, uri), ...loginOf(url, uri) };
}

function failoverOf(uri: string): RedisFailoverClientOpt {
  const { hosts, url } = withoutHosts(uri, 'redis-sentinel://host:port,host:port/db?master=name');
  const sentinelAddrs = hosts
    .split(',')
    .map((host) => (/:\d+$/.test(host) ? host : `${host}:${DEFAULT_SENTINEL_PORT}`));
  if (!sentinelAddrs.every(isAddress)) throw invalid('hosts and ports of sentinels in the Redis URI', uri);
  const masterName = url.searchParams.get('master') ?? '';
  if (masterName === '') throw invalid('?master=name in the URI of Redis sentinels', uri);
  const { username: sentinelUsername, password: sentinelPassword } = loginOf(url, uri);
  return {
    masterName,
    sentinelAddrs,
    ...databaseOf(url.pathname.slice(1), uri),
    ...defined({ sentinelUsername, sentinelPassword }),
  };
}

/** No host and several of them are no URL: the hosts apart, and a URL with another in their place. */
function withoutHosts(uri: string, expected: string): { hosts: string; url: URL } {
  const [, head = '', hosts = '', tail = ''] =
    /^([a-z-]+:\/\/(?:[^@/?#]*@)?)([^/?#]*)(.*)$/is.exec(uri) ?? [];
  const text = `${head}host${tail}`;
  if (!URL.canParse(text)) throw invalid(expected, uri);
  return { hosts, url: new URL(text) };
}

function databaseOf(text: string, uri: string): { readonly db?: number } {
  if (!/^\d{0,9}$/.test(text)) throw invalid(NOTHING_MORE, uri);
  return text === '' ? {} : { db: Number(text) };
}

function loginOf({ username, password }: URL, uri: string): { username?: string; password?: string } {
  return {
    ...(username !== '' && { username: decoded(username, uri) }),
    ...(password !== '' && { password: decoded(password, uri) }),
  };
}

function decoded(part: string, uri: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid('a Redis URI that is percent-encoded', uri);
  }
}

function invalid(expected: string, uri: string): AsynqError {
  return new AsynqError('ASYNQ_CONFIG_INVALID', `expected ${expected}, got ${withoutSecrets(uri)}`);
}
