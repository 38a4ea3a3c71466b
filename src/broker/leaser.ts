import type { RedisReply, RedisRouter, Script } from '../redis/router.ts';
import { type Clock, unixSeconds } from '../runtime/clock.ts';
import { errorText } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { QueueKeys } from '../wire/keys.ts';
import { LEASE_SECONDS } from '../wire/limits.ts';
import { decodeTaskMessage } from '../wire/task-message.ts';
import { unreadableTask } from '../wire/unreadable-task.ts';
import type { DequeueReason, DequeueReply, LeasedTask } from './broker.ts';
import { bytes, integer, integers, list, pairs, texts } from './replies.ts';
import { loadScript } from './scripts.ts';
import type { Settler } from './settler.ts';

const DEQUEUE = loadScript('dequeue');
const EXTEND_LEASE = loadScript('extend-lease');
const CLAIM_EXPIRED = loadScript('claim-expired');

/** Tasks that one script call leases at most, and the size of their messages after which it takes no more. */
const MAX_ITEMS = 256;
const MAX_BYTES = 4 << 20;

const EXTEND_TIMEOUT_MS = 10_000;

/**
 * Takes leases and moves them on. A lease is held in whole seconds by the clock of whoever took it; ours ends, for us,
 * no later than it does in Redis. Tasks in a reply that never arrived wait for the end of their lease, as those of a
 * worker that died.
 *
 * A message that does not decode is archived at once, with the reason as its error and the bytes as the payload of a
 * readable one, so that every tool shows it and none loses it. Should that fail, its lease ends and the next claim tries
 * again; no other task waits for it.
 */
export class Leaser {
  readonly #router: Pick<RedisRouter, 'run'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #settler: Settler;
  readonly #leaseSeconds: number;

  /** `leaseSeconds`: how long the leases last that it takes and moves on. @default 30 */
  constructor(parts: {
    router: Pick<RedisRouter, 'run'>;
    clock: Clock;
    log: Logger;
    settler: Settler;
    leaseSeconds?: number | undefined;
  }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#settler = parts.settler;
    this.#leaseSeconds = parts.leaseSeconds ?? LEASE_SECONDS;
  }

  async dequeue(queue: string, max: number): Promise<DequeueReply> {
    if (max < 1) return { tasks: [], reason: 'ok' };
    const keys = new QueueKeys(queue);
    const end = this.#endOfLease();
    const reply = await this.#router.run(
      DEQUEUE,
      [keys.pending, keys.active, keys.lease, keys.paused, keys.limits, keys.starts],
      [keys.taskPrefix, Math.min(max, MAX_ITEMS), end, MAX_BYTES],
    );
    const [reason, leased, dropped, retryAfterMs] = list(DEQUEUE, reply);
    this.#report(DEQUEUE, queue, dropped);
    return {
      tasks: this.#read(DEQUEUE, queue, leased, end),
      ...reasonOf(reason, retryAfterMs),
    };
  }

  /** Takes over what is left of tasks whose lease ended before `before`, Unix milliseconds. */
  async claimExpired(queue: string, before: number): Promise<LeasedTask[]> {
    const keys = new QueueKeys(queue);
    const expired = unixSeconds(Math.min(before, this.#clock.now()));
    for (const claimed: LeasedTask[] = []; ; ) {
      const end = this.#endOfLease();
      const reply = await this.#router.run(
        CLAIM_EXPIRED,
        [keys.lease, keys.active],
        [keys.taskPrefix, expired, end, MAX_ITEMS, MAX_BYTES],
      );
      const [more, leased, dropped] = list(CLAIM_EXPIRED, reply);
      this.#report(CLAIM_EXPIRED, queue, dropped);
      claimed.push(...this.#read(CLAIM_EXPIRED, queue, leased, end));
      if (integer(CLAIM_EXPIRED, more) === 0) return claimed;
    }
  }

  async extend(tasks: readonly LeasedTask[]): Promise<void> {
    const byQueue = Map.groupBy(tasks, (task) => task.queue);
    await Promise.all(
      [...byQueue].map(async ([queue, ofQueue]) => {
        for (let from = 0; from < ofQueue.length; from += MAX_ITEMS) {
          await this.#extendBatch(new QueueKeys(queue), ofQueue.slice(from, from + MAX_ITEMS));
        }
      }),
    );
  }

  /** Given up so early that another try may come before the leases end, and never sent again after one has. */
  async #extendBatch(keys: QueueKeys, tasks: readonly LeasedTask[]): Promise<void> {
    const now = this.#clock.now();
    const standing = tasks.filter((task) => task.leaseExpiresAt > now);
    if (standing.length === 0) return;
    const firstEnds = Math.min(...standing.map((task) => task.leaseExpiresAt));
    const timeout = Math.min(EXTEND_TIMEOUT_MS, (this.#leaseSeconds * 1000) / 3, firstEnds - now);
    const end = this.#endOfLease();
    for (const task of standing) task.leaseAskedUntil = end * 1000;
    const args = [end, ...standing.map((task) => task.id)];
    const reply = await this.#router.run(EXTEND_LEASE, [keys.lease], args, { timeout });
    const results = integers(EXTEND_LEASE, reply, standing.length);
    for (const [index, task] of standing.entries()) {
      if (results[index] === 1) task.leaseExpiresAt = end * 1000;
    }
  }

  #read(script: Script, queue: string, leased: RedisReply | undefined, end: number): LeasedTask[] {
    return pairs(script, leased).flatMap(({ id, msg }) => this.#readOne(queue, id, msg, end * 1000));
  }

  #readOne(queue: string, id: string, msg: Buffer, leaseExpiresAt: number): LeasedTask[] {
    try {
      return [{ queue, id, message: decodeTaskMessage(msg), leaseExpiresAt }];
    } catch (error) {
      void this.#setAside(
        { queue, id, message: unreadableTask(queue, id, msg), leaseExpiresAt },
        errorText(error),
      );
      return [];
    }
  }

  async #setAside(task: LeasedTask, reason: string): Promise<void> {
    const { queue, id: taskId } = task;
    try {
      await this.#settler.settle(task, { kind: 'archive', error: reason });
      this.#log.error({ queue, taskId, reason }, 'archived a task whose message does not decode');
    } catch (err) {
      this.#log.error({ queue, taskId, reason, err }, 'cannot archive a task whose message does not decode');
    }
  }

  #report(script: Script, queue: string, dropped: RedisReply | undefined): void {
    const taskIds = texts(script, dropped);
    if (taskIds.length > 0) this.#log.warn({ queue, taskIds }, 'dropped ids whose task is gone');
  }

  /** Unix seconds. */
  #endOfLease(): number {
    return unixSeconds(this.#clock.now()) + this.#leaseSeconds;
  }
}

function reasonOf(reason: RedisReply | undefined, retryAfterMs: RedisReply | undefined): DequeueReason {
  const word = bytes(DEQUEUE, reason).toString() as 'ok' | 'empty' | 'paused' | 'concurrency' | 'rate';
  if (word !== 'concurrency' && word !== 'rate') return { reason: word };
  return { reason: 'limited', limit: word, retryAfterMs: integer(DEQUEUE, retryAfterMs) };
}
