import { parseAddress, withoutSecrets } from '../runtime/address.ts';
import { AsynqError } from '../runtime/errors.ts';

const SHAPES =
  "{ addr: 'host:port' }, { addrs: ['host:port', ...] } of a cluster, or { masterName, sentinelAddrs: ['host:port', ...] }";

/**
 * What a program without types may get wrong, before it comes up as something else much later.
 *
 * @throws ASYNQ_CONFIG_INVALID naming the option, what was expected and what came (never a password)
 */
export function checkRedisOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw wrong(`Redis: expected ${SHAPES}, got ${withoutSecrets(options)}`);
  }
  const { addr, addrs, sentinelAddrs, masterName, network }: Readonly<Record<string, unknown>> = {
    ...options,
  };
  if ('addr' in options) return checkAddr(addr, network);
  if ('sentinelAddrs' in options) {
    if (typeof masterName !== 'string' || masterName === '') {
      throw wrong(
        `masterName: expected what the sentinels call the master, got ${withoutSecrets(masterName)}`,
      );
    }
    return checkAddrs('sentinelAddrs', sentinelAddrs, 'sentinel');
  }
  if ('addrs' in options) return checkAddrs('addrs', addrs, 'Redis Cluster node');
  const keys = Object.keys(options).join(', ');
  throw wrong(
    `Redis: expected ${SHAPES}, got ${keys === '' ? 'an object without keys' : `the keys ${keys}`}`,
  );
}

function checkAddr(addr: unknown, network: unknown): void {
  if (typeof addr !== 'string') {
    throw wrong(`addr: expected one 'host:port' (addrs are those of a cluster), got ${withoutSecrets(addr)}`);
  }
  if (network !== 'unix') parseAddress(addr);
}

function checkAddrs(option: string, addrs: unknown, what: string): void {
  if (!Array.isArray(addrs) || addrs.some((addr) => typeof addr !== 'string')) {
    throw wrong(`${option}: expected a list of 'host:port', got ${withoutSecrets(addrs)}`);
  }
  if (addrs.length === 0) throw wrong(`${option}: expected at least one address of a ${what}, got none`);
  for (const addr of addrs as readonly string[]) parseAddress(addr);
}

function wrong(message: string): AsynqError {
  return new AsynqError('ASYNQ_CONFIG_INVALID', message);
}
