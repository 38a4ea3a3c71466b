import type { Enqueueing, LeasedTask, Settlement } from '../../../src/broker/broker.ts';
import { RedisBroker } from '../../../src/broker/redis-broker.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { encodeTaskMessage } from '../../../src/wire/task-message.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { isInspection } from './inspections.ts';
import type { Ending, NewTask, Operation, Placement } from './operations.ts';
import { OurInspector } from './our-inspector.ts';
import {
  GRACE_SECONDS,
  Hand,
  LOST,
  masked,
  messageOf,
  type Refusal,
  refusal,
  type Side,
  takeHeld,
} from './side.ts';

/** Completed tasks that one call deletes. */
const CLEAN_BATCH = 2;

/** A sequence as our broker does it. */
export class OurSide implements Side {
  readonly queue: string;
  readonly #clock: FakeClock;
  readonly #broker: RedisBroker;
  readonly #inspector: OurInspector;
  readonly #hand: Hand;
  readonly #held: LeasedTask[] = [];

  constructor(parts: { router: RedisRouter; queue: string; now: number }) {
    const { router, queue, now } = parts;
    this.queue = queue;
    this.#clock = new FakeClock(now);
    this.#broker = new RedisBroker({ router, clock: this.#clock, log: silentLogger });
    this.#inspector = new OurInspector({ router, clock: this.#clock, queue });
    this.#hand = new Hand(router, queue);
  }

  async take(operation: Operation, now: number): Promise<unknown> {
    this.#clock.block(now - this.#clock.now());
    if (isInspection(operation)) {
      await this.#hand.list();
      return this.#inspector.take(operation).catch((error: unknown) => this.#refusal(error));
    }
    switch (operation.do) {
      case 'enqueue':
        return Promise.all(
          operation.tasks.map((task) => outcome(this.#enqueue(task, operation.where).then(() => 'ok'))),
        );
      case 'enqueueMany':
        return this.#enqueueMany(operation.tasks, operation.where);
      case 'dequeue':
        return this.#dequeue(operation.count);
      case 'settle':
        return this.#settle(takeHeld(this.#held, operation.from, operation.count), operation.how);
      case 'extend':
        await this.#broker.extendLeases(this.#held);
        return this.#held.map(({ leaseExpiresAt }) => leaseExpiresAt);
      case 'forward':
        await this.#broker.forward(this.queue);
        return undefined;
      case 'recover':
        return this.#recover();
      case 'aggregate':
        return this.#aggregate(operation);
      case 'reclaim':
        await this.#broker.returnStaleSets(this.queue);
        return undefined;
      case 'clean':
        while ((await this.#broker.deleteExpiredCompleted(this.queue, CLEAN_BATCH)) === CLEAN_BATCH);
        return undefined;
      case 'result':
        return this.#writeResult(operation.id, operation.data);
      case 'wait':
        return undefined;
      case 'unlock':
        return this.#hand.unlock(operation.type, operation.payload);
      case 'lose':
        return this.#hand.lose(operation.from, now);
      default:
        return operation satisfies never;
    }
  }

  #enqueue(task: NewTask, where: Placement): Promise<void> {
    return this.#broker.enqueue(this.#enqueueing(task, where));
  }

  async #enqueueMany(tasks: readonly NewTask[], where: Placement): Promise<unknown[]> {
    const errors = await this.#broker.enqueueMany(tasks.map((task) => this.#enqueueing(task, where)));
    return errors.map((error) => (error === undefined ? 'ok' : classOf(error)));
  }

  #enqueueing(task: NewTask, where: Placement): Enqueueing {
    const message = messageOf(this.queue, task, where);
    const lock = task.unique === undefined ? {} : { uniqueTtl: task.unique };
    const placed = {
      now: {},
      at: where.kind === 'at' ? { processAt: this.#clock.now() + where.seconds * 1000 } : {},
      group: where.kind === 'group' ? { group: where.group } : {},
    }[where.kind];
    return { message, ...lock, ...placed };
  }

  async #dequeue(count: number): Promise<unknown> {
    const tasks: LeasedTask[] = [];
    for (let more = true; more && tasks.length < count; ) {
      const reply = await this.#broker.dequeue(this.queue, count - tasks.length);
      tasks.push(...reply.tasks);
      more = reply.reason === 'ok';
    }
    this.#held.push(...tasks);
    return tasks.map(({ id, message, leaseExpiresAt }) => ({
      id,
      msg: this.#masked(encodeTaskMessage(message)),
      leaseExpiresAt,
    }));
  }

  #settle(tasks: readonly LeasedTask[], how: Ending): Promise<boolean[]> {
    const settlement = this.#settlement(how);
    return Promise.all(tasks.map((task) => this.#broker.settle(task, settlement)));
  }

  #settlement(how: Ending): Settlement {
    if (how.kind !== 'retry') return how;
    const { kind, error, seconds, isFailure } = how;
    return { kind, error, isFailure, at: this.#clock.now() + seconds * 1000 };
  }

  async #recover(): Promise<string[]> {
    const expired = await this.#broker.listLeaseExpired(this.queue, this.#clock.now() - GRACE_SECONDS * 1000);
    const { error, seconds } = LOST;
    for (const task of expired) {
      const exhausted = task.message.retried >= task.message.retry;
      const how: Ending = exhausted
        ? { kind: 'archive', error }
        : { kind: 'retry', error, seconds, isFailure: true };
      await this.#broker.settle(task, this.#settlement(how));
    }
    return expired.map(({ id }) => id);
  }

  async #aggregate(operation: Extract<Operation, { do: 'aggregate' }>): Promise<unknown> {
    const { group, gracePeriod, maxDelay, maxSize, made } = operation;
    const policy = { gracePeriod: gracePeriod * 1000, maxDelay: maxDelay * 1000, maxSize };
    const set = await this.#broker.claimGroup(this.queue, group, policy);
    if (set === undefined) return undefined;
    const { deadline } = set;
    const tasks = set.tasks.map(({ message }) => this.#masked(encodeTaskMessage(message)));
    if (made === undefined) return { deadline, tasks };
    const message = messageOf(this.queue, made, { kind: 'now' });
    const finished = await outcome(this.#broker.finishAggregation(set, { message }).then(() => 'ok'));
    return { deadline, tasks, finished };
  }

  #writeResult(id: string, data: string): Promise<unknown> {
    return outcome(this.#broker.writeResult(this.queue, id, Buffer.from(data)).then(() => 'ok'));
  }

  #refusal(error: unknown): Refusal {
    const known = AsynqError.is(error) ? REFUSALS[error.code] : undefined;
    if (!AsynqError.is(error) || known === undefined) throw error;
    return refusal(known, error.message, this.queue);
  }

  #masked(bytes: Uint8Array): string {
    return masked(Buffer.from(bytes).toString('latin1'), this.queue);
  }
}

const OUTCOMES: Readonly<Record<string, string>> = {
  ASYNQ_DUPLICATE_TASK: 'duplicate',
  ASYNQ_TASK_ID_CONFLICT: 'conflict',
  ASYNQ_TASK_NOT_FOUND: 'task not found',
};

const REFUSALS: Readonly<Record<string, string>> = {
  ASYNQ_TASK_NOT_FOUND: 'task not found',
  ASYNQ_QUEUE_NOT_FOUND: 'queue not found',
  ASYNQ_TASK_STATE: 'state',
  ASYNQ_QUEUE_STATE: 'state',
};

/** What a call gave, or the class of its error. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    return classOf(error);
  }
}

function classOf(error: unknown): string {
  const known = AsynqError.is(error) ? OUTCOMES[error.code] : undefined;
  if (known === undefined) throw error;
  return known;
}
