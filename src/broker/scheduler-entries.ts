import type { RedisRouter } from '../redis/router.ts';
import { type Clock, unixSeconds } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { SCHEDULERS_KEY, schedulerEntriesKey, schedulerHistoryKey } from '../wire/keys.ts';
import {
  decodeSchedulerEntry,
  decodeSchedulerEvent,
  encodeSchedulerEntry,
  encodeSchedulerEvent,
  type SchedulerEntryRecord,
  type SchedulerEventRecord,
} from '../wire/scheduler-entry.ts';
import { blobs, texts } from './replies.ts';
import { loadScript } from './scripts.ts';

const WRITE_SCHEDULER_ENTRIES = loadScript('write-scheduler-entries');
const RECORD_SCHEDULER_EVENT = loadScript('record-scheduler-event');

/** Events kept of an entry, as in Go. */
const MAX_EVENTS = 1_000;

/** An entry's events outlive its last enqueue by this: what a scheduler that died leaves behind goes away by itself. */
export const HISTORY_TTL_SECONDS: number = 90 * 24 * 3600;

/**
 * A scheduler counts as dead when its entries expire; its index entry goes so long after, since clocks differ. The writers
 * do that: a reader, who may be allowed to read only, writes nothing (Go's does).
 */
const BURIED_SECONDS = 3_600;

/** A page of events, from 1. */
export interface EventPage {
  readonly pageSize: number;
  readonly page: number;
}

/**
 * What schedulers tell of themselves: their entries, and what was enqueued for each.
 *
 * The entries of a scheduler lie in a slot of its own, the index of all schedulers in another, each history in a third; a
 * reader passes over what leads nowhere. Go's histories live for ever when their scheduler is killed: ours expire.
 */
export class SchedulerEntries {
  readonly #router: RedisRouter;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(parts: { router: RedisRouter; clock: Clock; log: Logger }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** Says what a scheduler enqueues, in that order, for `ttlSeconds`; `schedulerId` is `host:pid:uuid`. */
  async write(
    schedulerId: string,
    entries: readonly SchedulerEntryRecord[],
    ttlSeconds: number,
  ): Promise<void> {
    const key = schedulerEntriesKey(schedulerId);
    const now = unixSeconds(this.#clock.now());
    await Promise.all([
      this.#router.command(SCHEDULERS_KEY, 'ZADD', [SCHEDULERS_KEY, now + ttlSeconds, key]),
      this.#router.command(SCHEDULERS_KEY, 'ZREMRANGEBYSCORE', [
        SCHEDULERS_KEY,
        '-inf',
        now - BURIED_SECONDS,
      ]),
      this.#router.run(WRITE_SCHEDULER_ENTRIES, [key], [ttlSeconds, ...entries.map(encodeSchedulerEntry)]),
    ]);
  }

  async clear(schedulerId: string): Promise<void> {
    const key = schedulerEntriesKey(schedulerId);
    await Promise.all([
      this.#router.command(SCHEDULERS_KEY, 'ZREM', [SCHEDULERS_KEY, key]),
      this.#router.command(key, 'DEL', [key]),
    ]);
  }

  /** The entries of all schedulers that live, each scheduler's in its order. What cannot be read is logged. */
  async list(): Promise<SchedulerEntryRecord[]> {
    const now = unixSeconds(this.#clock.now());
    const living = await this.#router.command(SCHEDULERS_KEY, 'ZRANGEBYSCORE', [SCHEDULERS_KEY, now, '+inf']);
    const keys = texts({ name: 'ZRANGEBYSCORE' }, living);
    const lists = await Promise.all(keys.map((key) => this.#router.command(key, 'LRANGE', [key, 0, -1])));
    return lists.flatMap((list) => {
      // Pushed at the left, so the last comes first.
      const entries = blobs({ name: 'LRANGE' }, list).toReversed();
      return this.#readable(entries, decodeSchedulerEntry);
    });
  }

  async recordEvent(entryId: string, event: SchedulerEventRecord): Promise<void> {
    const key = schedulerHistoryKey(entryId);
    const second = unixSeconds(event.enqueuedAt);
    await this.#router.run(
      RECORD_SCHEDULER_EVENT,
      [key],
      [second, encodeSchedulerEvent(event), MAX_EVENTS, HISTORY_TTL_SECONDS],
    );
  }

  async clearHistory(entryId: string): Promise<void> {
    const key = schedulerHistoryKey(entryId);
    await this.#router.command(key, 'DEL', [key]);
  }

  /** What was enqueued for an entry, the newest first. */
  async events(entryId: string, { pageSize, page }: EventPage): Promise<SchedulerEventRecord[]> {
    if (pageSize < 1 || page < 1) return [];
    const key = schedulerHistoryKey(entryId);
    const first = (page - 1) * pageSize;
    const reply = await this.#router.command(key, 'ZREVRANGE', [key, first, first + pageSize - 1]);
    return this.#readable(blobs({ name: 'ZREVRANGE' }, reply), decodeSchedulerEvent);
  }

  #readable<T>(all: readonly Buffer[], decode: (bytes: Uint8Array) => T): T[] {
    return all.flatMap((bytes) => {
      try {
        return [decode(bytes)];
      } catch (err) {
        this.#log.warn({ err }, 'passed over what a scheduler wrote and nobody can read');
        return [];
      }
    });
  }
}
