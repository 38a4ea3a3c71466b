import type { RedisRouter } from '../redis/router.ts';
import { AsynqError } from '../runtime/errors.ts';
import { QueueKeys } from '../wire/keys.ts';
import { parseObservation } from './observation.ts';
import { OPERATOR_MARK } from './queue-limits.ts';
import type { QueueQuery, QueueReader, QueueReading } from './queue-reader.ts';
import { loadScript } from './scripts.ts';

const observe = loadScript('observe');

const READ_TIMEOUT_MS = 2_000;

/** When nobody said when a group is ready: whatever waits for a minute. */
const AFTER_A_MINUTE = { gracePeriodSeconds: 60, maxSize: 0, maxDelaySeconds: 60 };

/**
 * Reads queues by one script each, all issued in one turn: the router makes them one write per master, whatever their
 * number, and a master that is away costs its own queues the time-out, and no others.
 */
export class RedisQueueReader implements QueueReader {
  readonly #redis: RedisRouter;
  readonly #timeout: number;

  /** `timeout`: milliseconds after which a queue counts as unknown. @default 2000 */
  constructor(redis: RedisRouter, options: { timeout?: number } = {}) {
    this.#redis = redis;
    this.#timeout = options.timeout ?? READ_TIMEOUT_MS;
  }

  async read(queries: readonly QueueQuery[]): Promise<ReadonlyMap<string, QueueReading>> {
    const readings = queries.map(async (query) => [query.queue, await this.#readOne(query)] as const);
    return new Map(await Promise.all(readings));
  }

  async #readOne(query: QueueQuery): Promise<QueueReading> {
    const keys = new QueueKeys(query.queue);
    try {
      const reply = await this.#redis.run(observe, scriptKeys(keys), scriptArgs(keys, query), {
        timeout: this.#timeout,
      });
      const location = await this.#redis.locate(keys.pending);
      return { kind: 'known', snapshot: parseObservation(reply, location) };
    } catch (error) {
      if (!AsynqError.is(error)) throw error;
      return { kind: 'unknown', error };
    }
  }
}

function scriptKeys(keys: QueueKeys): string[] {
  return [
    keys.pending,
    keys.active,
    keys.lease,
    keys.scheduled,
    keys.retry,
    keys.archived,
    keys.completed,
    keys.paused,
    keys.groups,
    keys.aggregationSets,
    keys.processed,
    keys.failed,
    keys.limits,
    keys.starts,
  ];
}

function scriptArgs(keys: QueueKeys, query: QueueQuery): (string | number)[] {
  const { gracePeriodSeconds, maxSize, maxDelaySeconds } = query.groups ?? AFTER_A_MINUTE;
  return [
    keys.taskPrefix,
    keys.groupPrefix,
    query.soonSeconds,
    gracePeriodSeconds,
    maxSize,
    maxDelaySeconds,
    OPERATOR_MARK,
  ];
}
