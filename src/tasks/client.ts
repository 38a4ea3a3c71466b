import type { Broker, Enqueueing } from '../broker/broker.ts';
import type { ReplicaGoal } from '../broker/enqueue-calls.ts';
import { RedisBroker } from '../broker/redis-broker.ts';
import { shareOrOpen } from '../redis/open.ts';
import type { RedisConnOpt } from '../redis/options.ts';
import type { RedisRouter } from '../redis/router.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { stderrLogger } from '../runtime/stderr-logger.ts';
import { randomUuid } from '../runtime/uuid.ts';
import { compose, composing } from './compose.ts';
import type { TaskOptions } from './options.ts';
import type { Task } from './task.ts';
import { type TaskInfo, taskInfo } from './task-info.ts';

export interface ClientParts {
  /** @default the system's */
  readonly clock?: Clock;
  /** @default warnings and errors on stderr, as text; `silentLogger` turns it off */
  readonly log?: Logger;
  /**
   * Every enqueue resolves only when `count` replicas of the queue's master have the task too (Redis' WAIT), so that a
   * failover which promotes one of them does not lose it. Calls that share the connection wait meanwhile: give such a
   * client a connection of its own. `timeoutMs` is a whole number from 1 to 4000; when it is over, the enqueue rejects
   * with ASYNQ_NOT_REPLICATED. Go's asynq has no such option. @default enqueues wait for the master only
   */
  readonly waitReplicas?: ReplicaGoal;
}

/** A connection that is silent for longer is taken for dead. */
const MAX_WAIT_MS = 4_000;

/**
 * Puts tasks into queues. One client serves a whole process: what it is given in one turn of the event loop travels
 * together, and it connects at its first use.
 *
 *     const client = new Client({ addrs: ['127.0.0.1:7000'] });
 *     await client.enqueue(new Task('notificaciones:email', { para: 123, de: 456 }), { queue: 'notificaciones' });
 */
export class Client implements AsyncDisposable {
  readonly #broker: Broker;
  readonly #clock: Clock;
  /** The connection is of our own making, and ends with us. */
  readonly #isOwner: boolean;
  #closed = false;

  /**
   * `redis`: where Redis is, or a connection that others use too and that `close` leaves open.
   *
   * @throws ASYNQ_CONFIG_INVALID
   */
  constructor(redis: RedisConnOpt | RedisRouter, parts: ClientParts = {}) {
    const { clock = systemClock, log = stderrLogger('warn'), waitReplicas } = parts;
    if (waitReplicas !== undefined) checkGoal(waitReplicas);
    const { router, isOwner } = shareOrOpen(redis, { clock, log });
    this.#isOwner = isOwner;
    this.#broker = new RedisBroker({ router, clock, log, waitReplicas });
    this.#clock = clock;
  }

  /**
   * Resolves when the task is in its queue. When the connection breaks in the middle it is sent again; a task may so
   * come in twice only if the first was done before the second arrived.
   *
   * @throws ASYNQ_TASK_TYPE_BLANK, ASYNQ_QUEUE_NAME_INVALID, ASYNQ_TASK_ID_BLANK, ASYNQ_GROUP_BLANK,
   * ASYNQ_UNIQUE_TTL_TOO_SHORT, ASYNQ_OPTION_INVALID before anything is sent; ASYNQ_DUPLICATE_TASK (`uniqueSeconds`),
   * ASYNQ_TASK_ID_CONFLICT (`taskId`); ASYNQ_NOT_REPLICATED (`waitReplicas`): the task is in all the same, and is not to
   * be enqueued again; ASYNQ_REDIS_*; ASYNQ_CLOSED
   */
  async enqueue(task: Task, options?: TaskOptions): Promise<TaskInfo> {
    this.#throwIfClosed();
    const composed = compose(task, options, { nowMs: this.#clock.now(), newId: randomUuid });
    await this.#broker.enqueue(composed.enqueueing);
    return taskInfo(composed.enqueueing.message, composed);
  }

  /**
   * Enqueues each task on its own account, in few round trips; what became of each, in their order: its value as
   * `enqueue` resolves to it, or its reason as `enqueue` throws it. Tasks of one queue go in in their order. They are read
   * while the first are already on their way, so they may come from a generator. `processInSeconds` counts from the call.
   *
   * Rejects only with what reading `tasks` throws; those read before have then been enqueued. Go's asynq has no such call.
   */
  async enqueueMany(tasks: Iterable<Task>, options?: TaskOptions): Promise<PromiseSettledResult<TaskInfo>[]> {
    const results: PromiseSettledResult<TaskInfo>[] = [];
    const sent: number[] = [];
    const outcomes = await this.#broker.enqueueMany(this.#composeAll(tasks, options, results, sent));
    for (const [at, reason] of outcomes.entries()) {
      const index = sent[at];
      if (reason !== undefined && index !== undefined) results[index] = { status: 'rejected', reason };
    }
    return results;
  }

  /** Composes tasks one by one; adds the result that each will have unless it is refused, and its index when it is sent. */
  *#composeAll(
    tasks: Iterable<Task>,
    options: TaskOptions | undefined,
    results: PromiseSettledResult<TaskInfo>[],
    sent: number[],
  ): Generator<Enqueueing> {
    const composeOne = composing(options, { nowMs: this.#clock.now(), newId: randomUuid });
    for (const task of tasks) {
      try {
        this.#throwIfClosed();
        const { enqueueing, ...circumstances } = composeOne(task);
        sent.push(
          results.push({ status: 'fulfilled', value: taskInfo(enqueueing.message, circumstances) }) - 1,
        );
        yield enqueueing;
      } catch (reason) {
        results.push({ status: 'rejected', reason });
      }
    }
  }

  /** Resolves when Redis answers. */
  async ping(): Promise<void> {
    await this.#broker.ping();
  }

  /** Closes its connection, unless it is shared. Tasks whose enqueue has not resolved may be in or not. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#isOwner) await this.#broker.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new AsynqError('ASYNQ_CLOSED', 'the client was closed');
  }
}

function checkGoal({ count, timeoutMs }: ReplicaGoal): void {
  const isGood = Number.isSafeInteger(count) && count >= 1;
  if (isGood && Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= MAX_WAIT_MS) return;
  throw new AsynqError(
    'ASYNQ_CONFIG_INVALID',
    `waitReplicas: expected a count from 1 and a timeoutMs from 1 to ${MAX_WAIT_MS}, got ${count} and ${timeoutMs}`,
  );
}
