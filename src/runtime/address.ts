import { AsynqError } from './errors.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Takes `host:port` apart; an IPv6 host may stand in brackets or, as clusters announce it, without.
 * @throws ASYNQ_CONFIG_INVALID
 */
export function parseAddress(addr: string): Address {
  const colon = addr.lastIndexOf(':');
  const host = addr.slice(0, Math.max(colon, 0)).replace(/^\[(.*)\]$/, '$1');
  const port = Number(addr.slice(colon + 1));
  if (host === '' || !/^\d+$/.test(addr.slice(colon + 1)) || port < 1 || port > 65_535) {
    throw new AsynqError('ASYNQ_CONFIG_INVALID', `a Redis address is host:port, got ${withoutSecrets(addr)}`);
  }
  return { host, port };
}

/** `host:port`; an IPv6 host in brackets. */
export function isAddress(value: string): boolean {
  const port = Number(/^(?:\[[^\]/@\s]+\]|[^[\]:/@\s]+):(\d{1,5})$/.exec(value)?.[1] ?? Number.NaN);
  return port >= 1 && port <= 65_535;
}

/** How an error shows what came in place of an address: the likeliest mistake is a URL, and that may carry a password. */
export function withoutSecrets(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.includes('@') ? 'something with an @' : text;
}
