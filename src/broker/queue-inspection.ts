import { inspect } from 'node:util';
import type { RedisRouter } from '../redis/router.ts';
import type { Clock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import { QueueKeys } from '../wire/keys.ts';
import { INSPECT_QUEUE, parseFigures, type QueueFigures } from './queue-figures.ts';
import { expectQueue } from './queue-list.ts';
import { bytes, integer, list, optionalText, texts } from './replies.ts';
import { loadScript } from './scripts.ts';

const INSPECT_MEMORY = loadScript('inspect-memory');

/** Of more groups, the tasks are counted in several steps. */
const GROUPS_AT_ONE_STROKE = 1_000;

/** Groups whose sizes travel in one write. */
const GROUPS_PER_PAGE = 500;

/** What memory is estimated from, as Go does. */
const TASKS_WEIGHED = 20;
const GROUPS_WEIGHED = 5;

const DAY_MS = 24 * 3600 * 1000;

/** Counters live for 90 days; a wider view shows zeros, up to here. */
const MAX_DAYS = 3_650;

export interface GroupSize {
  readonly group: string;
  readonly size: number;
}

/** A queue as a whole, with all its tasks counted. */
export interface QueueSight extends QueueFigures {
  readonly aggregating: number;
  /** Undefined: the server does not tell. */
  readonly memoryUsageBytes: number | undefined;
  /** Unix milliseconds. */
  readonly at: number;
}

export interface DayFigures {
  /** Unix milliseconds of its 00:00 UTC. */
  readonly day: number;
  readonly processed: number;
  readonly failed: number;
}

/** Reads what there is to know of queues as wholes; each script looks at a bounded number of tasks and groups. */
export class QueueInspection {
  readonly #router: Pick<RedisRouter, 'run' | 'command'>;
  readonly #clock: Clock;

  constructor(parts: { router: Pick<RedisRouter, 'run' | 'command'>; clock: Clock }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
  }

  /** @throws ASYNQ_QUEUE_NOT_FOUND */
  async look(queue: string): Promise<QueueSight> {
    const keys = QueueKeys.of(queue);
    const at = this.#clock.now();
    const figures = await this.#figures(keys, at);
    if (isBlank(figures)) await expectQueue(this.#router, queue);
    const aggregating = figures.aggregating ?? sizeOf(await this.groupSizes(queue));
    return { ...figures, aggregating, memoryUsageBytes: await this.#memoryUsage(keys, aggregating), at };
  }

  /** The last `days` days, the newest first. @throws ASYNQ_OPTION_INVALID, ASYNQ_QUEUE_NOT_FOUND */
  async history(queue: string, days: number): Promise<DayFigures[]> {
    const keys = QueueKeys.of(queue);
    if (!Number.isInteger(days) || days > MAX_DAYS) {
      const text = `expected a whole number of days up to ${MAX_DAYS}, got ${inspect(days)}`;
      throw new AsynqError('ASYNQ_OPTION_INVALID', text);
    }
    if (days < 1) throw new AsynqError('ASYNQ_OPTION_INVALID', 'the number of days must be positive');
    const today = Math.floor(this.#clock.now() / DAY_MS) * DAY_MS;
    const all = Array.from({ length: days }, (_, ago) => today - ago * DAY_MS);
    const names = all.flatMap((day) => [keys.processedOn(day), keys.failedOn(day)]);
    const asked = { name: 'MGET' };
    const counters = list(asked, await this.#router.command(keys.pending, 'MGET', names));
    const counts = counters.map((counter) => Number(optionalText(asked, counter) ?? 0));
    if (counts.every((count) => count === 0)) await expectQueue(this.#router, queue);
    return all.map((day, n) => ({ day, processed: counts[2 * n] ?? 0, failed: counts[2 * n + 1] ?? 0 }));
  }

  /** The groups of a queue with the number of their tasks, sorted by name. */
  async groupSizes(queue: string): Promise<GroupSize[]> {
    const keys = QueueKeys.of(queue);
    const sizes = new Map<string, number>();
    let cursor = '0';
    do {
      const args = [keys.groups, cursor, 'COUNT', GROUPS_PER_PAGE];
      const asked = { name: 'SSCAN' };
      const [next, page] = list(asked, await this.#router.command(keys.groups, 'SSCAN', args));
      cursor = bytes(asked, next).toString();
      const counted = texts(asked, page).map(async (group) => {
        const key = keys.group(group);
        sizes.set(group, integer({ name: 'ZCARD' }, await this.#router.command(key, 'ZCARD', [key])));
      });
      await Promise.all(counted);
    } while (cursor !== '0');
    return [...sizes.keys()].toSorted().map((group) => ({ group, size: sizes.get(group) ?? 0 }));
  }

  async #figures(keys: QueueKeys, now: number): Promise<QueueFigures> {
    const counters = [keys.processedOn(now), keys.failedOn(now), keys.processed, keys.failed];
    const reply = await this.#router.run(
      INSPECT_QUEUE,
      [...stateKeys(keys), keys.groups, keys.paused, ...counters],
      [keys.taskPrefix, keys.groupPrefix, GROUPS_AT_ONE_STROKE],
    );
    return parseFigures(reply, now);
  }

  async #memoryUsage(keys: QueueKeys, aggregating: number): Promise<number | undefined> {
    const reply = await this.#router.run(
      INSPECT_MEMORY,
      [...stateKeys(keys), keys.groups],
      [keys.taskPrefix, keys.groupPrefix, TASKS_WEIGHED, GROUPS_WEIGHED, aggregating],
    );
    return reply === null ? undefined : integer(INSPECT_MEMORY, reply);
  }
}

function stateKeys(keys: QueueKeys): string[] {
  return [keys.pending, keys.active, keys.inState('scheduled'), keys.retry, keys.archived, keys.completed];
}

/** It may be that there is no such queue. */
function isBlank(figures: QueueFigures): boolean {
  return Object.values(figures).every((figure) => figure === 0 || figure === false);
}

function sizeOf(groups: readonly GroupSize[]): number {
  return groups.reduce((sum, { size }) => sum + size, 0);
}
