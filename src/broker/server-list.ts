import type { RedisRouter } from '../redis/router.ts';
import { type Clock, unixSeconds } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { SERVERS_KEY, WORKERS_KEY } from '../wire/keys.ts';
import { decodeServerInfo, decodeWorkerInfo, type ServerInfo, type WorkerInfo } from '../wire/server-info.ts';
import { bytes, list, optionalBytes, rows } from './replies.ts';

/** Servers that are asked for in one write. */
const SERVERS_AT_ONCE = 200;

export interface AnnouncedServer {
  readonly info: ServerInfo;
  readonly workers: readonly WorkerInfo[];
}

/**
 * Lists the servers that run. Their index holds the keys of what each announces, with the second in which that ends by
 * the server's own clock; what counts is whether it is still there. So a server whose clock is wrong is seen too, where
 * Go hides it. Entries of servers that died long ago are deleted from the index by whoever comes along, as Go does.
 */
export class ServerList {
  readonly #router: Pick<RedisRouter, 'command'>;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(parts: { router: Pick<RedisRouter, 'command'>; clock: Clock; log: Logger }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** Sorted by host and process id. */
  async all(): Promise<AnnouncedServer[]> {
    const asked = { name: 'ZRANGE' };
    const args = [SERVERS_KEY, 0, -1, 'WITHSCORES'];
    const index = rows(asked, await this.#router.command(SERVERS_KEY, 'ZRANGE', args), 2).map(
      ([key, end]) => ({ key: bytes(asked, key).toString(), end: Number(bytes(asked, end).toString()) }),
    );
    const servers: AnnouncedServer[] = [];
    for (let from = 0; from < index.length; from += SERVERS_AT_ONCE) {
      const entries = index.slice(from, from + SERVERS_AT_ONCE);
      const found = await Promise.all(entries.map(({ key }) => this.#read(key)));
      servers.push(...found.filter((server) => server !== undefined && server !== 'unreadable'));
      const now = unixSeconds(this.#clock.now());
      await this.#forget(entries.filter(({ end }, n) => found[n] === undefined && end < now));
    }
    return servers.toSorted(({ info: a }, { info: b }) => compare(a.host, b.host) || a.pid - b.pid);
  }

  async #read(key: string): Promise<AnnouncedServer | 'unreadable' | undefined> {
    const ofWorkers = workersKeyBeside(key);
    const [announced, busy] = await Promise.all([
      this.#router.command(key, 'GET', [key]),
      this.#router.command(ofWorkers, 'HVALS', [ofWorkers]),
    ]);
    const server = optionalBytes({ name: 'GET' }, announced);
    if (server === undefined) return undefined;
    const [info] = this.#readable(key, [server], decodeServerInfo);
    if (info === undefined) return 'unreadable';
    const asked = { name: 'HVALS' };
    const workers = list(asked, busy).map((worker) => bytes(asked, worker));
    return { info, workers: this.#readable(ofWorkers, workers, decodeWorkerInfo) };
  }

  #readable<T>(key: string, all: readonly Buffer[], decode: (bytes: Uint8Array) => T): T[] {
    return all.flatMap((one) => {
      try {
        return [decode(one)];
      } catch (err) {
        this.#log.warn({ key, err }, 'cannot read what a server announces');
        return [];
      }
    });
  }

  async #forget(entries: readonly { key: string }[]): Promise<void> {
    if (entries.length === 0) return;
    const servers = entries.map(({ key }) => key);
    try {
      await Promise.all([
        this.#router.command(SERVERS_KEY, 'ZREM', [SERVERS_KEY, ...servers]),
        this.#router.command(WORKERS_KEY, 'ZREM', [WORKERS_KEY, ...servers.map(workersKeyBeside)]),
      ]);
    } catch (err) {
      // Whoever only may read sees them next time as well.
      if (!AsynqError.is(err)) throw err;
      this.#log.debug({ err }, 'cannot delete index entries of dead servers');
    }
  }
}

/** What a server is and what it works on have keys that differ in their first words. */
function workersKeyBeside(serverKey: string): string {
  return WORKERS_KEY + serverKey.slice(SERVERS_KEY.length);
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
