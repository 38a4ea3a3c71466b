import type { RedisRouter } from '../redis/router.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { QueueKeys } from '../wire/keys.ts';
import { decodeTaskMessage } from '../wire/task-message.ts';
import { expectQueue } from './queue-list.ts';
import { bytes, integer, list, optionalBytes, optionalText, rows } from './replies.ts';
import { loadScript } from './scripts.ts';
import { type Movable, type MoveKind, moveTasks, type Source } from './task-moves.ts';
import { placeKey, type TaskPlace } from './task-place.ts';

const INSPECT_BATCH = loadScript('inspect-batch');

/** One script call holds up its Redis for less than a millisecond. */
const BATCH = 128;

/** While one batch is on its way, as many tasks may be given back as would push all of it out of sight. */
const NEAR = 2 * BATCH;

/** How work on many tasks is followed, and ended before its time. */
export interface BulkOptions {
  /** Called after each batch with how many tasks were looked at, of how many: those at the start, while others take none. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends it after the batch that is on its way: the call resolves with what was done until then. */
  readonly signal?: AbortSignal;
}

/**
 * Does to all tasks of a list or set what an inspector does to one, batch by batch, where Go does it in one script that
 * holds up Redis for as long as it takes. The price: it is not one instant. Servers go on to take tasks meanwhile, and it
 * ends when it has seen as many as there were at the start, so that a queue that is filled all the time does not keep it
 * for ever. Dying in the middle leaves some batches done and none half done.
 */
export class BulkMoves {
  readonly #router: Pick<RedisRouter, 'run' | 'command'>;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(parts: { router: Pick<RedisRouter, 'run' | 'command'>; clock: Clock; log: Logger }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** All tasks of a place; how many were moved. @throws ASYNQ_QUEUE_NOT_FOUND */
  async move(kind: MoveKind, queue: string, place: TaskPlace, bulk?: BulkOptions): Promise<number> {
    const keys = QueueKeys.of(queue);
    const group = place.state === 'aggregating' ? { group: place.group } : {};
    const { total, moved } = await this.moveFrom(kind, queue, { key: placeKey(keys, place), ...group }, bulk);
    if (total === 0) await expectQueue(this.#router, queue);
    return moved;
  }

  /** All tasks of a list or set, whatever its name. */
  async moveFrom(
    kind: MoveKind,
    queue: string,
    source: Source,
    bulk?: BulkOptions,
  ): Promise<{ total: number; moved: number }> {
    const keys = new QueueKeys(queue);
    let total = Number.POSITIVE_INFINITY;
    let moved = 0;
    for (let seen = 0; seen < total && bulk?.signal?.aborted !== true; ) {
      const { count, tasks } = await this.#next(keys, source.key, Math.min(BATCH, total - seen));
      total = Math.min(total, seen + count);
      if (tasks.length === 0) break;
      const where = { queue: keys, source, near: NEAR, nowMs: this.#clock.now() };
      const outcomes = await moveTasks(this.#router, kind, tasks, where);
      const dropped = tasks.filter((_, n) => outcomes[n] === 'dropped').map(({ id }) => id);
      if (dropped.length > 0) this.#log.warn({ queue, taskIds: dropped }, 'dropped ids whose task is gone');
      moved += outcomes.filter((outcome) => outcome === 'moved').length;
      seen += tasks.length;
      bulk?.onProgress?.(seen, total);
    }
    return { total, moved };
  }

  async #next(keys: QueueKeys, source: string, most: number): Promise<{ count: number; tasks: Movable[] }> {
    const reply = await this.#router.run(INSPECT_BATCH, [source], [keys.taskPrefix, most]);
    const [count, found] = list(INSPECT_BATCH, reply);
    const tasks = rows(INSPECT_BATCH, found, 3).map(([id, lock, msg]) => ({
      id: bytes(INSPECT_BATCH, id).toString(),
      lock: optionalText(INSPECT_BATCH, lock) ?? lockIn(optionalBytes(INSPECT_BATCH, msg)),
    }));
    return { count: integer(INSPECT_BATCH, count), tasks };
  }
}

function lockIn(msg: Uint8Array | undefined): string | undefined {
  if (msg === undefined) return undefined;
  try {
    return decodeTaskMessage(msg).uniqueKey || undefined;
  } catch {
    // Whatever lock it had ends by itself.
    return undefined;
  }
}
