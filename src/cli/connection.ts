import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import type { RedisClusterClientOpt, RedisConnOpt, TlsOptions } from '../redis/options.ts';
import { isRedisUri, parseRedisUri, type RedisUriOpt } from '../redis/uri.ts';
import { isAddress, withoutSecrets } from '../runtime/address.ts';
import { errorText } from '../runtime/errors.ts';
import { isFlag, type SettingSources, setting } from './settings.ts';

/**
 * The connection that a command was given. Environment variables have Go's names, which are everybody's names too: one that
 * does not matter for this connection is not looked at. What a Redis URI says holds before all but flags:
 * `--uri redis://h:1/3 --db 4` is database 4.
 *
 * @throws {InvalidArgumentError} a value that cannot be, or flags that contradict each other
 */
export function connectionOf(sources: SettingSources): RedisConnOpt {
  const isCluster = setting('cluster', sources);
  const isAsked = isCluster || (isFlag('cluster_addrs', sources) && !isFlag('cluster', sources));
  return isAsked ? clusterOf(sources) : serverOf(sources);
}

function clusterOf(sources: SettingSources): RedisClusterClientOpt {
  if (isFlag('uri', sources)) {
    throw new InvalidArgumentError('--uri is one server: give a cluster as --cluster_addrs');
  }
  if (isFlag('db', sources)) throw new InvalidArgumentError('--db: a Redis Cluster has database 0 only');
  const addrs = setting('cluster_addrs', sources)
    .split(',')
    .map((addr) => address(addr.trim(), '--cluster_addrs'));
  return compact({
    addrs,
    username: setting('username', sources),
    password: setting('password', sources),
    tls: tlsOf(sources),
  });
}

function serverOf(sources: SettingSources): RedisUriOpt {
  const uri = setting('uri', sources);
  const inUri: RedisUriOpt = isRedisUri(uri) ? ofUri(uri) : { addr: address(uri, '--uri') };
  const besides = <N extends 'db' | 'username' | 'password'>(name: N) =>
    inUri[name] === undefined || isFlag(name, sources) ? setting(name, sources) : inUri[name];
  return {
    ...inUri,
    ...compact({
      db: besides('db'),
      username: besides('username'),
      password: besides('password'),
      tls: tlsOf(sources, inUri.tls !== undefined),
    }),
  };
}

function ofUri(uri: string): RedisUriOpt {
  try {
    return parseRedisUri(uri);
  } catch (error) {
    throw new InvalidArgumentError(`--uri: ${errorText(error)}`);
  }
}

function tlsOf(sources: SettingSources, isInUri = false): TlsOptions | undefined {
  const serverName = setting('tls_server', sources);
  const files = (['tls_ca', 'tls_cert', 'tls_key'] as const).map((name) => setting(name, sources));
  const isAsked = [isInUri, setting('tls', sources), serverName, ...files].some(Boolean);
  if (!isAsked) return undefined;
  const [ca, cert, key] = files.map(fileContent);
  return compact({ serverName, insecure: setting('insecure', sources), ca, cert, key });
}

function fileContent(path: string): string {
  try {
    return path === '' ? '' : readFileSync(path, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError(`TLS: ${errorText(error)}`);
  }
}

/** Without the fields that hold nothing. */
function compact<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  const held = Object.entries(fields).filter(
    ([, value]) => value !== undefined && value !== '' && value !== false,
  );
  return Object.fromEntries(held) as T;
}

function address(value: string, flag: string): string {
  if (isAddress(value)) return value;
  throw new InvalidArgumentError(`${flag}: expected host:port, got ${withoutSecrets(value)}`);
}
