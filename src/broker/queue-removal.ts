import type { RedisRouter } from '../redis/router.ts';
import type { Clock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { QUEUES_KEY, QueueKeys } from '../wire/keys.ts';
import { BulkMoves } from './bulk-moves.ts';
import { expectQueue } from './queue-list.ts';
import { bytes, integer, list, texts } from './replies.ts';
import { loadScript } from './scripts.ts';

const INSPECT_REMOVE = loadScript('inspect-remove');
const INSPECT_SWEEP = loadScript('inspect-sweep');

/** Keys that Redis looks at in one step of a search. */
const SCAN_COUNT = 1_000;

/**
 * Removes queues without a trace. One script decides whether it may be and takes all that holds tasks out of the way, so
 * that the queue is empty at once; then the tasks are deleted in batches, and whatever else bears the queue's name is
 * searched for and deleted: counters, its pause, locks whose task is gone, tasks that no list leads to. Only then is it
 * no longer listed. Whoever dies in the middle leaves a queue that is empty and listed, and can be removed again.
 *
 * The price is the search, which goes over all keys of the queue's master, a thousand at a time.
 */
export class QueueRemoval {
  readonly #router: Pick<RedisRouter, 'run' | 'command'>;
  readonly #log: Logger;
  readonly #bulk: BulkMoves;
  readonly #newId: () => string;

  constructor(parts: {
    router: Pick<RedisRouter, 'run' | 'command'>;
    clock: Clock;
    log: Logger;
    newId: () => string;
  }) {
    this.#router = parts.router;
    this.#log = parts.log;
    this.#bulk = new BulkMoves(parts);
    this.#newId = parts.newId;
  }

  /**
   * `force`: with whatever tasks are in it, unless some are being worked on.
   *
   * @throws ASYNQ_QUEUE_NOT_FOUND, ASYNQ_QUEUE_NOT_EMPTY, ASYNQ_QUEUE_STATE it has active tasks
   */
  async remove(queue: string, force: boolean): Promise<void> {
    const keys = QueueKeys.of(queue);
    for (const holder of await this.#empty(queue, keys, force)) {
      await this.#bulk.moveFrom('delete', queue, { key: holder });
    }
    await this.#sweep(queue, keys);
    await this.#unlist(queue, keys);
  }

  /** The keys that now hold the tasks. */
  async #empty(queue: string, keys: QueueKeys, force: boolean): Promise<string[]> {
    let holder = '';
    const args = () => {
      holder = `${removedPrefix(keys)}${this.#newId()}:`;
      return [keys.groupPrefix, holder, force ? 1 : 0];
    };
    // Sent again it must not rename over what it holds already; that is found by the sweep.
    const reply = await this.#router.run(
      INSPECT_REMOVE,
      [keys.active, keys.lease, keys.groups, keys.aggregationSets, ...setsOf(keys), ...marksOf(keys)],
      args(),
      { argsWhenResent: args },
    );
    const [outcome, count] = list(INSPECT_REMOVE, reply);
    const name = JSON.stringify(queue);
    switch (bytes(INSPECT_REMOVE, outcome).toString()) {
      case 'full':
        throw new AsynqError('ASYNQ_QUEUE_NOT_EMPTY', `queue ${name} is not empty`);
      case 'active':
        throw new AsynqError('ASYNQ_QUEUE_STATE', `cannot remove queue with active tasks: queue=${name}`);
      case 'empty':
        await expectQueue(this.#router, queue);
        return [];
      default:
        return Array.from({ length: integer(INSPECT_REMOVE, count) }, (_, n) => `${holder}${n + 1}`);
    }
  }

  /** Deletes what else has the queue's name, unless the queue is used anew. */
  async #sweep(queue: string, keys: QueueKeys): Promise<void> {
    const holds = removedPrefix(keys);
    let isUsed = false;
    for await (const found of this.#keysOf(queue, keys)) {
      // Left by a removal that died.
      for (const key of found.filter((one) => one.startsWith(holds))) {
        await this.#bulk.moveFrom('delete', queue, { key });
      }
      const others = found.filter((one) => !one.startsWith(holds));
      if (isUsed || others.length === 0) continue;
      const swept = await this.#router.run(INSPECT_SWEEP, [...signsOfUse(keys), ...others], []);
      isUsed = integer(INSPECT_SWEEP, swept) === 0;
    }
    if (isUsed)
      this.#log.warn({ queue }, 'a queue is used anew while it is removed; what else was left of it stays');
  }

  async *#keysOf(queue: string, keys: QueueKeys): AsyncGenerator<string[]> {
    const pattern = `asynq*:{${queue.replaceAll(/[\\*?[\]]/g, String.raw`\$&`)}}:*`;
    let cursor = '0';
    do {
      const args = [cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT];
      const asked = { name: 'SCAN' };
      const [next, page] = list(asked, await this.#router.command(keys.pending, 'SCAN', args));
      cursor = bytes(asked, next).toString();
      const isOurs = (key: string) => key.startsWith(keys.prefix) || key.startsWith(keys.ownPrefix);
      yield texts(asked, page).filter(isOurs);
    } while (cursor !== '0');
  }

  /** Whoever used the queue before this counts on its being listed. */
  async #unlist(queue: string, keys: QueueKeys): Promise<void> {
    await this.#router.command(QUEUES_KEY, 'SREM', [QUEUES_KEY, queue]);
    const used = await this.#router.command(keys.pending, 'EXISTS', signsOfUse(keys));
    if (used !== 0) await this.#router.command(QUEUES_KEY, 'SADD', [QUEUES_KEY, queue]);
  }
}

/** Of the keys that hold the tasks of a removed queue until they are deleted. */
export function removedPrefix(keys: QueueKeys): string {
  return `${keys.ownPrefix}removed:`;
}

function setsOf(keys: QueueKeys): string[] {
  return [keys.pending, keys.scheduled, keys.retry, keys.archived, keys.completed];
}

/** What stays of a queue without tasks. */
function marksOf(keys: QueueKeys): string[] {
  return [keys.paused, keys.processed, keys.failed];
}

function signsOfUse(keys: QueueKeys): string[] {
  return [...setsOf(keys), keys.active, keys.groups, keys.aggregationSets];
}
