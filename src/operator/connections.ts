import { createHash } from 'node:crypto';
import type { QueueReader } from '../broker/queue-reader.ts';
import type { RedisRouter } from '../redis/router.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { QueueRedisOpt } from './redis-settings.ts';

/** One Redis as the operator speaks to it, shared by all queues that live there. */
export interface Connection {
  /** The same for the same options; tells nothing of them. */
  readonly id: string;
  readonly router: RedisRouter;
  readonly reader: QueueReader;
}

export interface ConnectionMakers {
  readonly open: (options: QueueRedisOpt) => RedisRouter;
  readonly reader: (router: RedisRouter) => QueueReader;
}

/** The connections in use: opened by the first queue that needs one, closed when no queue does any more. */
export class Connections {
  readonly #make: ConnectionMakers;
  readonly #open = new Map<string, Connection>();
  #isClosed = false;

  constructor(make: ConnectionMakers) {
    this.#make = make;
  }

  get size(): number {
    return this.#open.size;
  }

  /** @throws ASYNQ_CONFIG_INVALID for options that cannot be; ASYNQ_CLOSED after `close`. */
  get(options: QueueRedisOpt): Connection {
    if (this.#isClosed) throw new AsynqError('ASYNQ_CLOSED');
    const id = connectionId(options);
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const router = this.#make.open(options);
    const connection = { id, router, reader: this.#make.reader(router) };
    this.#open.set(id, connection);
    return connection;
  }

  /** Closes all but these. */
  async keepOnly(ids: ReadonlySet<string>): Promise<void> {
    const unused = [...this.#open.values()].filter(({ id }) => !ids.has(id));
    for (const { id } of unused) this.#open.delete(id);
    await Promise.allSettled(unused.map(({ router }) => router.close()));
  }

  /** For good. Idempotent. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.keepOnly(new Set());
  }
}

function connectionId(options: QueueRedisOpt): string {
  const { username, password, tls } = options;
  const where = 'addr' in options ? [options.addr, options.db ?? 0] : options.addrs.toSorted();
  const who = [username ?? null, password ?? null, tls ?? null];
  return createHash('sha256')
    .update(JSON.stringify([where, who]))
    .digest('base64url')
    .slice(0, 22);
}
