import { randomUUID } from 'node:crypto';
import type { RedisArg, RedisRouter } from '../redis/router.ts';
import { type Clock, unixSeconds } from '../runtime/clock.ts';
import { errorText } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { QueueKeys } from '../wire/keys.ts';
import { AGGREGATION_SECONDS } from '../wire/limits.ts';
import { decodeTaskMessage, encodeTaskMessage } from '../wire/task-message.ts';
import { unreadableTask } from '../wire/unreadable-task.ts';
import { BatchKeys } from './batch-keys.ts';
import type { AggregationSet, Enqueueing, GroupedTask, GroupPolicy, ReadyGroups } from './broker.ts';
import { refusal } from './enqueue-calls.ts';
import { bytes, integer, list, pairs, texts } from './replies.ts';
import { loadScript } from './scripts.ts';
import { unixNanoseconds } from './unix-nanoseconds.ts';

const LOOK_AT_GROUPS = loadScript('look-at-groups');
const CLAIM_GROUP = loadScript('claim-group');
const READ_AGGREGATION_SET = loadScript('read-aggregation-set');
const FINISH_AGGREGATION = loadScript('finish-aggregation');
const RETURN_TO_GROUP = loadScript('return-to-group');
const RETURN_REST_OF_SET = loadScript('return-rest-of-set');
const SET_ASIDE_MEMBER = loadScript('set-aside-member');

/** Groups that one script call looks at, about. */
const GROUPS_A_LOOK = 200;

/** One server's look holds for all of a queue for so long, milliseconds: they would all see the same groups. */
const LOOK_MS = 500;

/** Tasks of one aggregation set: more are deleted by one script in some ten milliseconds, in which Redis does nothing else. */
const MAX_SET = 10_000;

/** Size of a set's messages after which the rest goes back to its group: a set is held whole by whoever makes it one. */
const MAX_SET_BYTES = 64 << 20;

/** Tasks that one script call reads at most, and the size of their messages after which it reads no more. */
const MAX_ITEMS = 500;
const MAX_BYTES = 4 << 20;

/** Stale sets that are returned in one round. */
const STALE_SETS = 100;

/** What becomes of tasks that wait in groups to be made one. Each step is a script of its own, safe to die after. */
export class Groups {
  readonly #router: Pick<RedisRouter, 'run' | 'command'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #maxSetBytes: number;
  /** Whose end was sent without an answer. */
  readonly #unanswered = new WeakSet<AggregationSet>();

  /** `maxSetBytes`: @default 64 MiB */
  constructor(parts: {
    router: Pick<RedisRouter, 'run' | 'command'>;
    clock: Clock;
    log: Logger;
    maxSetBytes?: number;
  }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#maxSetBytes = parts.maxSetBytes ?? MAX_SET_BYTES;
  }

  async look(queue: string, policy: GroupPolicy, looker: string): Promise<ReadyGroups | undefined> {
    const keys = new QueueKeys(queue);
    const ready = new Set<string>();
    let nextDue: number | undefined;
    for (let cursor = '0'; ; ) {
      const times = this.#times(policy);
      const args = [keys.groupPrefix, cursor, GROUPS_A_LOOK, ...times, policy.maxSize, looker, LOOK_MS];
      const reply = await this.#router.run(LOOK_AT_GROUPS, [keys.groups, keys.looker], args);
      if (reply === null) return undefined;
      const [next, names, due] = list(LOOK_AT_GROUPS, reply);
      for (const name of texts(LOOK_AT_GROUPS, names)) ready.add(name);
      if (due !== null) nextDue = Math.min(nextDue ?? Number.POSITIVE_INFINITY, milliseconds(due));
      cursor = bytes(LOOK_AT_GROUPS, next).toString();
      if (cursor === '0') return { ready: [...ready], nextDue };
    }
  }

  async claim(queue: string, group: string, policy: GroupPolicy): Promise<AggregationSet | undefined> {
    const keys = new QueueKeys(queue);
    const key = `${keys.group(group)}:${randomUUID()}`;
    const ends = unixSeconds(this.#clock.now()) + AGGREGATION_SECONDS;
    const moved = await this.#router.run(
      CLAIM_GROUP,
      [keys.group(group), key, keys.aggregationSets, keys.groups],
      [group, ...this.#times(policy), policy.maxSize, MAX_SET, ends],
    );
    if (integer(CLAIM_GROUP, moved) === 0) return undefined;
    const set = { queue, group, key, deadline: ends * 1000 };
    try {
      const tasks = await this.#read(set);
      if (tasks.length > 0) return { ...set, tasks };
    } catch (error) {
      // Should that fail too, it goes back when its time is over.
      await this.return(set).catch(() => {});
      throw error;
    }
    await this.return(set);
    return undefined;
  }

  async finish(set: AggregationSet, aggregate: Enqueueing): Promise<boolean> {
    const { queue, tasks } = set;
    const { message, processAt, group, uniqueTtl = 0 } = aggregate;
    const keys = new QueueKeys(queue);
    const now = this.#clock.now();
    const { state, waitsIn, score } = destination(keys, aggregate, now);
    const fixed = [set.key, keys.aggregationSets, waitsIn, keys.groups, keys.task(message.id)];
    const all = new BatchKeys(fixed);
    const ofLocks: number[] = [];
    for (const task of tasks) {
      const number = all.add(keys.task(task.id));
      if (!task.message.uniqueKey.startsWith(keys.prefix)) continue;
      all.addLock(task.message.uniqueKey);
      ofLocks.push(number);
    }
    if (uniqueTtl > 0) all.addLock(message.uniqueKey);
    const msg = encodeTaskMessage(message);
    const name = processAt === undefined ? (group ?? '') : '';
    const args = (ranBefore: 0 | 1): RedisArg[] => [
      ranBefore,
      Buffer.byteLength(keys.taskPrefix),
      this.#clock.now() >= set.deadline ? 1 : 0,
      tasks.length,
      msg,
      state,
      score,
      name,
      uniqueTtl,
      ...ofLocks,
    ];
    const mayHaveRun = this.#unanswered.has(set) ? 1 : 0;
    this.#unanswered.add(set);
    const reply = await this.#router.run(FINISH_AGGREGATION, all.all(), args(mayHaveRun), {
      argsWhenResent: () => args(1),
    });
    this.#unanswered.delete(set);
    const result = integer(FINISH_AGGREGATION, reply);
    if (result === 0 || result === -1) throw refusal(result, message);
    return result === 1;
  }

  async return({ queue, group, key }: Omit<AggregationSet, 'tasks'>): Promise<number> {
    const keys = new QueueKeys(queue);
    const reply = await this.#router.run(
      RETURN_TO_GROUP,
      [key, keys.aggregationSets, keys.group(group), keys.groups],
      [group],
    );
    return integer(RETURN_TO_GROUP, reply);
  }

  /** Returns sets whose time is over: their aggregator died. */
  async returnStale(queue: string): Promise<number> {
    const keys = new QueueKeys(queue);
    const now = this.#clock.now();
    const args = [keys.aggregationSets, '-inf', unixSeconds(now), 'BYSCORE', 'LIMIT', 0, STALE_SETS];
    const stale = await this.#router.command(keys.aggregationSets, 'ZRANGE', args);
    let tasks = 0;
    for (const key of texts({ name: 'ZRANGE' }, stale)) {
      const group = groupOf(keys, key);
      if (group === undefined) this.#log.warn({ queue, key }, 'an aggregation set that belongs to no group');
      else tasks += await this.return({ queue, group, key, deadline: now });
    }
    return tasks;
  }

  async #read(set: Omit<AggregationSet, 'tasks'>): Promise<GroupedTask[]> {
    const { queue } = set;
    const keys = new QueueKeys(queue);
    const tasks: GroupedTask[] = [];
    let size = 0;
    for (;;) {
      const args = [keys.taskPrefix, tasks.length, MAX_ITEMS, MAX_BYTES];
      const reply = await this.#router.run(READ_AGGREGATION_SET, [set.key], args);
      const [more, read, dropped] = list(READ_AGGREGATION_SET, reply);
      const taskIds = texts(READ_AGGREGATION_SET, dropped);
      if (taskIds.length > 0) this.#log.warn({ queue, taskIds }, 'dropped ids whose task is gone');
      for (const { id, msg } of pairs(READ_AGGREGATION_SET, read)) {
        const message = await this.#decode(set, id, msg);
        if (message === undefined) continue;
        tasks.push({ id, message });
        size += msg.byteLength;
      }
      if (integer(READ_AGGREGATION_SET, more) === 0) return tasks;
      if (size < this.#maxSetBytes) continue;
      await this.#returnRest(set, tasks.length);
      return tasks;
    }
  }

  async #returnRest({ queue, group, key }: Omit<AggregationSet, 'tasks'>, from: number): Promise<void> {
    const keys = new QueueKeys(queue);
    await this.#router.run(RETURN_REST_OF_SET, [key, keys.group(group), keys.groups], [group, from]);
  }

  async #decode(
    { queue, key }: Omit<AggregationSet, 'tasks'>,
    id: string,
    msg: Buffer,
  ): Promise<GroupedTask['message'] | undefined> {
    try {
      return decodeTaskMessage(msg);
    } catch (error) {
      const reason = errorText(error);
      const keys = new QueueKeys(queue);
      const now = unixSeconds(this.#clock.now());
      const message = { ...unreadableTask(queue, id, msg), errorMsg: reason, lastFailedAt: now };
      const args = [id, encodeTaskMessage(message), now];
      await this.#router.run(SET_ASIDE_MEMBER, [key, keys.archived, keys.task(id)], args);
      this.#log.error({ queue, taskId: id, reason }, 'archived a task whose message does not decode');
      return undefined;
    }
  }

  #times({ gracePeriod, maxDelay }: GroupPolicy): number[] {
    return [this.#clock.now() / 1000, gracePeriod / 1000, maxDelay / 1000];
  }
}

function destination(
  keys: QueueKeys,
  { processAt, group }: Enqueueing,
  now: number,
): { state: string; waitsIn: string; score: string | number } {
  if (processAt !== undefined) {
    return { state: 'scheduled', waitsIn: keys.scheduled, score: unixSeconds(processAt) };
  }
  if (group !== undefined) {
    return { state: 'aggregating', waitsIn: keys.group(group), score: unixSeconds(now) };
  }
  return { state: 'pending', waitsIn: keys.pending, score: unixNanoseconds(now) };
}

/** A set's key is that of its group, a colon and a UUID. */
export function groupOf(keys: QueueKeys, setKey: string): string | undefined {
  const end = setKey.lastIndexOf(':');
  if (!setKey.startsWith(keys.groupPrefix) || end <= keys.groupPrefix.length) return undefined;
  return setKey.slice(keys.groupPrefix.length, end);
}

function milliseconds(seconds: unknown): number {
  return Number(String(seconds)) * 1000;
}
