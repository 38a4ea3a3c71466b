import type { RedisRouter } from '../../../src/redis/router.ts';
import { decodeTaskMessage, encodeTaskMessage, type TaskMessage } from '../../../src/wire/task-message.ts';
import { type GoBroker, type GoCall, GoError } from '../../support/go-broker.ts';
import type { Difference } from './differences.ts';
import { inspectInGo } from './go-inspector.ts';
import { isInspection } from './inspections.ts';
import type { Ending, NewTask, Operation, Placement } from './operations.ts';
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

interface GoTask {
  readonly id: string;
  readonly msg: string;
  readonly message: TaskMessage;
  leaseExpiresAt: number;
}

/**
 * A sequence as Go's broker does it, called as Go's server calls it: nothing is written once the lease has ended, and
 * the message that was leased is the one that is settled. After each call Go's queue is brought to where ours is if one
 * of the listed differences has shown itself.
 */
export class GoSide implements Side {
  readonly queue: string;
  readonly #go: GoBroker;
  readonly #hand: Hand;
  readonly #differences: readonly Difference[];
  #held: GoTask[] = [];
  #now = 0;

  constructor(parts: {
    go: GoBroker;
    router: RedisRouter;
    queue: string;
    differences: readonly Difference[];
  }) {
    this.#go = parts.go;
    this.#differences = parts.differences;
    this.queue = parts.queue;
    this.#hand = new Hand(parts.router, parts.queue);
  }

  async take(operation: Operation, now: number): Promise<unknown> {
    this.#now = now;
    if (isInspection(operation)) {
      await this.#hand.list();
      const call = (op: string, fields?: Partial<GoCall>) => this.#call(op, fields);
      return inspectInGo(call, this.queue, operation).catch((error: unknown) => this.#refusal(error));
    }
    switch (operation.do) {
      case 'enqueue':
      case 'enqueueMany':
        return inTurn(operation.tasks, (task) => this.#enqueue(task, operation.where));
      case 'dequeue':
        return this.#dequeue(operation.count);
      case 'settle':
        return inTurn(takeHeld(this.#held, operation.from, operation.count), (task) =>
          this.#settle(task, operation.how),
        );
      case 'extend':
        return this.#extend();
      case 'forward':
        await this.#call('ForwardIfReady');
        return undefined;
      case 'recover':
        return this.#recover();
      case 'aggregate':
        return this.#aggregate(operation);
      case 'reclaim':
        await this.#call('ReclaimStaleAggregationSets');
        return undefined;
      case 'clean':
        await this.#call('DeleteExpiredCompletedTasks', { size: 2 });
        return undefined;
      case 'result': {
        const { id, data } = operation;
        return this.#outcome('WriteResult', { id, data: Buffer.from(data).toString('base64') });
      }
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

  /** Forgets the queue's clock and what Go remembers of it. */
  async close(): Promise<void> {
    await this.#call('forget');
  }

  #enqueue(task: NewTask, where: Placement): Promise<unknown> {
    const op = { now: 'Enqueue', at: 'Schedule', group: 'AddToGroup' }[where.kind];
    const name = task.unique === undefined ? op : `${op}Unique`;
    const msg = base64(encodeTaskMessage(messageOf(this.queue, task, where)));
    const unique = task.unique === undefined ? {} : { seconds: task.unique };
    const placed = {
      now: {},
      at: where.kind === 'at' ? { at: this.#now + where.seconds * 1000 } : {},
      group: where.kind === 'group' ? { group: where.group } : {},
    }[where.kind];
    return this.#outcome(name, { msg, empty: task.payload === '', ...unique, ...placed });
  }

  async #dequeue(count: number): Promise<unknown> {
    const taken: object[] = [];
    while (taken.length < count) {
      const got = await this.#dequeueOne();
      if (got === undefined) break;
      const { id, msg, leaseExpiresAt } = got;
      this.#held.push(got);
      taken.push({ id, msg: this.#masked(msg), leaseExpiresAt });
    }
    return taken;
  }

  async #dequeueOne(): Promise<GoTask | undefined> {
    try {
      const { msg, leaseExpiresAt } = (await this.#call('Dequeue')) as {
        msg: string;
        leaseExpiresAt: number;
      };
      const message = decode(msg);
      return { id: message.id, msg, message, leaseExpiresAt: toSecond(leaseExpiresAt) };
    } catch (error) {
      if (error instanceof GoError && error.kind === 'empty') return undefined;
      throw error;
    }
  }

  async #settle(task: GoTask, how: Ending): Promise<boolean> {
    if (task.leaseExpiresAt <= this.#now) return false;
    await this.#write(task, how);
    return true;
  }

  async #write({ msg, message }: Pick<GoTask, 'msg' | 'message'>, how: Ending): Promise<void> {
    switch (how.kind) {
      case 'done':
        await this.#call(message.retention > 0 ? 'MarkAsComplete' : 'Done', { msg });
        return;
      case 'revoke':
        await this.#call('Done', { msg });
        return;
      case 'requeue':
        await this.#call('Requeue', { msg, id: message.id });
        return;
      case 'archive':
        await this.#call('Archive', { msg, error: how.error });
        return;
      case 'retry': {
        const { error, seconds, isFailure } = how;
        await this.#call('Retry', { msg, error, at: this.#now + seconds * 1000, isFailure });
        return;
      }
      default:
        how satisfies never;
    }
  }

  async #extend(): Promise<number[]> {
    const standing = this.#held.filter(({ leaseExpiresAt }) => leaseExpiresAt > this.#now);
    if (standing.length > 0) {
      const end = await this.#call('ExtendLease', { ids: standing.map(({ id }) => id) });
      for (const task of standing) task.leaseExpiresAt = toSecond(end as number);
    }
    return this.#held.map(({ leaseExpiresAt }) => leaseExpiresAt);
  }

  async #recover(): Promise<string[]> {
    const at = this.#now - GRACE_SECONDS * 1000;
    const expired = ((await this.#call('ListLeaseExpired', { at })) as string[]).map((msg) => ({
      msg,
      message: decode(msg),
    }));
    const { error, seconds } = LOST;
    for (const task of expired) {
      const exhausted = task.message.retried >= task.message.retry;
      await this.#write(
        task,
        exhausted ? { kind: 'archive', error } : { kind: 'retry', error, seconds, isFailure: true },
      );
    }
    return expired.map(({ message }) => message.id);
  }

  async #aggregate(operation: Extract<Operation, { do: 'aggregate' }>): Promise<unknown> {
    const { group, gracePeriod, maxDelay, maxSize, made } = operation;
    const policy = { seconds: gracePeriod, maxDelay, size: maxSize };
    const set = (await this.#call('AggregationCheck', { group, ...policy })) as string;
    if (set === '') return undefined;
    const read = await this.#call('ReadAggregationSet', { group, set });
    const { msgs, deadline } = read as { msgs: string[]; deadline: number };
    const tasks = msgs.map((msg) => this.#masked(msg));
    if (made === undefined) return { deadline, tasks };
    const finished = await this.#enqueue(made, { kind: 'now' });
    if (finished === 'ok') await this.#call('DeleteAggregationSet', { group, set, msgs });
    return { deadline, tasks, finished };
  }

  #outcome(op: string, fields: Partial<GoCall>): Promise<unknown> {
    return outcome(this.#call(op, fields).then(() => 'ok'));
  }

  async #call(op: string, fields: Partial<GoCall> = {}): Promise<unknown> {
    const call: GoCall = { queue: this.queue, now: this.#now, ...fields };
    for (const { before } of this.#differences) {
      const instead = await before?.({ op, call, hand: this.#hand });
      if (instead !== undefined) return instead.value;
    }
    const { value, error } = await this.#ask(op, call);
    for (const { mend } of this.#differences) {
      const instead = await mend?.({ op, call, error, hand: this.#hand });
      if (instead === 'again') return this.#call(op, fields);
      if (instead !== undefined) throw instead;
    }
    if (error !== undefined) throw error;
    return value;
  }

  async #ask(op: string, call: GoCall): Promise<{ value?: unknown; error?: GoError }> {
    try {
      return { value: await this.#go.call(op, call) };
    } catch (error) {
      if (error instanceof GoError) return { error };
      throw error;
    }
  }

  #refusal(error: unknown): Refusal {
    if (!(error instanceof GoError)) throw error;
    const { kind, message } = error;
    // Where Go's script fails, ours says that it did not find the task.
    if (/not found in (zset|list)/.test(message)) {
      return refusal('state', 'task is not where its hash says', this.queue);
    }
    if (isOfState(error)) return refusal('state', message, this.queue);
    if (kind === 'other') throw error;
    return refusal(kind, message, this.queue);
  }

  #masked(msg: string): string {
    return masked(Buffer.from(msg, 'base64').toString('latin1'), this.queue);
  }
}

/** What a call gave, or the class of its error. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    if (error.kind === 'other') throw error;
    return error.kind;
  }
}

/** Go has no class for what cannot be done to a task, or a queue, as it is. */
function isOfState({ code, message }: GoError): boolean {
  return code === 'FAILED_PRECONDITION' || /is (already|not) paused/.test(message);
}

async function inTurn<T, R>(items: readonly T[], each: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await each(item));
  return results;
}

function decode(msg: string): TaskMessage {
  return decodeTaskMessage(new Uint8Array(Buffer.from(msg, 'base64')));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** For us, a lease ends with the second that Redis holds. */
function toSecond(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
