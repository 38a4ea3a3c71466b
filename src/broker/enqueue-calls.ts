import type { RedisArg, RedisRouter, Script } from '../redis/router.ts';
import { type Clock, unixSeconds } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import { QueueKeys } from '../wire/keys.ts';
import { encodeTaskMessage, type TaskMessage } from '../wire/task-message.ts';
import { BatchKeys } from './batch-keys.ts';
import type { NonEmpty } from './batching.ts';
import type { Enqueueing } from './broker.ts';
import { integer, integers, list } from './replies.ts';
import { loadScript } from './scripts.ts';
import { unixNanoseconds } from './unix-nanoseconds.ts';

const ENQUEUE = loadScript('enqueue');
const SCHEDULE = loadScript('schedule');
const ADD_TO_GROUP = loadScript('add-to-group');

/** A task counts as in when that many replicas have it as well. */
export interface ReplicaGoal {
  readonly count: number;
  readonly timeoutMs: number;
}

/** A task for an enqueue script. */
export interface NewTask {
  readonly task: Enqueueing;
  readonly msg: Buffer;
}

/** Why a task is not in, or does not count as in; undefined: it is in. */
export type EnqueueOutcome = AsynqError | undefined;

/** A script for new tasks, and the part of its KEYS and ARGV that they share. */
interface Plan {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly RedisArg[];
}

/** @throws ASYNQ_OPTION_INVALID for what the wire cannot hold */
export function newTask(task: Enqueueing): NewTask {
  return { task, msg: encodeTaskMessage(task.message) };
}

/** Tasks with one key go into one script call. */
export function callKey({ message: { queue }, processAt, group }: Enqueueing): string {
  if (processAt !== undefined) return `at ${queue}`;
  return group === undefined ? `now ${queue}` : `group ${JSON.stringify([queue, group])}`;
}

/** The scripts that put new tasks in: those of one queue and kind with one call, and each on its own account. */
export class EnqueueCalls {
  readonly #router: Pick<RedisRouter, 'run'>;
  readonly #clock: Clock;
  readonly #goal: ReplicaGoal | undefined;

  constructor(parts: {
    router: Pick<RedisRouter, 'run'>;
    clock: Clock;
    waitReplicas?: ReplicaGoal | undefined;
  }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
    this.#goal = parts.waitReplicas;
  }

  /** What became of each, in their order. They share their `callKey`. */
  async run(items: NonEmpty<NewTask>): Promise<EnqueueOutcome[]> {
    const [{ task: first }] = items;
    const queue = new QueueKeys(first.message.queue);
    const { script, ...plan } = planOf(queue, first, this.#clock.now());
    const keys = new BatchKeys(plan.keys);
    const ofTasks: RedisArg[] = [];
    const ofLocks: RedisArg[] = [];
    for (const { task, msg } of items) {
      const { message, processAt, uniqueTtl, claim } = task;
      const number = keys.add(queue.task(message.id));
      ofTasks.push(msg);
      if (processAt !== undefined) ofTasks.push(unixSeconds(processAt));
      if (claim !== undefined) {
        keys.addLock(claim.key);
        ofLocks.push(-number, claim.ttl);
      }
      if (uniqueTtl === undefined) continue;
      keys.addLock(message.uniqueKey);
      ofLocks.push(number, uniqueTtl);
    }
    const prefixLength = Buffer.byteLength(queue.taskPrefix);
    const args = (ranBefore: 0 | 1) => [
      ranBefore,
      prefixLength,
      items.length,
      ...plan.args,
      ...ofTasks,
      ...ofLocks,
    ];
    const options = { argsWhenResent: () => args(1) };
    if (this.#goal === undefined) {
      const reply = await this.#router.run(script, keys.all(), args(0), options);
      return outcomes(items, integers(script, reply, items.length));
    }
    const { count, timeoutMs } = this.#goal;
    const replicas = { count, timeout: timeoutMs };
    const reply = list(script, await this.#router.run(script, keys.all(), args(0), { ...options, replicas }));
    const missing = tooFew(integer(script, reply[1]), this.#goal);
    return outcomes(items, integers(script, reply[0] ?? null, items.length), missing);
  }
}

function planOf(queue: QueueKeys, { processAt, group }: Enqueueing, nowMs: number): Plan {
  if (processAt !== undefined) return { script: SCHEDULE, keys: [queue.inState('scheduled')], args: [] };
  if (group !== undefined) {
    const keys = [queue.groups, queue.group(group)];
    return { script: ADD_TO_GROUP, keys, args: [unixSeconds(nowMs), group] };
  }
  return { script: ENQUEUE, keys: [queue.pending], args: [unixNanoseconds(nowMs)] };
}

/** `results` as the scripts have them; `missing` makes the error of a task that is in. */
function outcomes(
  items: readonly NewTask[],
  results: readonly number[],
  missing: (task: TaskMessage) => EnqueueOutcome = () => undefined,
): EnqueueOutcome[] {
  return items.map(({ task: { message } }, index) =>
    results[index] === 1 ? missing(message) : refusal(results[index] ?? 0, message),
  );
}

/** Why a script did not let a task in. */
export function refusal(result: number, { id, queue, type }: TaskMessage): AsynqError {
  const where = `queue ${JSON.stringify(queue)}`;
  if (result === -2) return new AsynqError('ASYNQ_CLAIM_TAKEN');
  return result === 0
    ? new AsynqError('ASYNQ_TASK_ID_CONFLICT', `task ID conflicts with another task: ${id} in ${where}`)
    : new AsynqError('ASYNQ_DUPLICATE_TASK', `task already exists: type ${JSON.stringify(type)} in ${where}`);
}

function tooFew(replicas: number, { count, timeoutMs }: ReplicaGoal): (task: TaskMessage) => EnqueueOutcome {
  return ({ id, queue }) =>
    replicas >= count
      ? undefined
      : new AsynqError(
          'ASYNQ_NOT_REPLICATED',
          `task ${id} is in queue ${JSON.stringify(queue)}, but expected it on ${count} replicas within ${timeoutMs} ms, got ${replicas}`,
        );
}
