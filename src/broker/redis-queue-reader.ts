import type { RedisRouter } from '../redis/router.ts';
import { AsynqError } from '../runtime/errors.ts';
import { QueueKeys } from '../wire/keys.ts';
import { parseObservation } from './observation.ts';
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
  /** Names of the keys of the queues asked for last time: thousands are asked for again and again. */
  #keys: ReadonlyMap<string, ScriptKeys> = new Map();

  /** `timeout`: milliseconds after which a queue counts as unknown. @default 2000 */
  constructor(redis: RedisRouter, options: { timeout?: number } = {}) {
    this.#redis = redis;
    this.#timeout = options.timeout ?? READ_TIMEOUT_MS;
  }

  async read(queries: readonly QueueQuery[]): Promise<ReadonlyMap<string, QueueReading>> {
    const known = this.#keys;
    const keys = new Map(queries.map(({ queue }) => [queue, known.get(queue) ?? scriptKeys(queue)]));
    this.#keys = keys;
    const readings = await Promise.all(queries.map((query) => this.#readOne(query)));
    return new Map(queries.map(({ queue }, index) => [queue, readings[index]]));
  }

/** KEYS and the first two of ARGV. */
interface ScriptKeys {
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
}

function scriptKeys(queue: string): ScriptKeys {
  const keys = new QueueKeys(queue);
  return {
    keys: [
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
    ],
    prefixes: [keys.taskPrefix, keys.groupPrefix],
  };
}
