import type { RedisArg, RedisRouter, Script } from '../redis/router.ts';
import { type Clock, unixSeconds } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import { QueueKeys } from '../wire/keys.ts';
import { encodeTaskMessage, type TaskMessage } from '../wire/task-message.ts';
import { BatchKeys } from './batch-keys.ts';
import { Batcher, type NonEmpty } from './batching.ts';
import type { Enqueueing } from './broker.ts';
import { QueueRegistry } from './queue-registry.ts';
import { integer, integers, list } from './replies.ts';
import { loadScript } from './scripts.ts';
import { unixNanoseconds } from './unix-nanoseconds.ts';

const ENQUEUE = loadScript('enqueue');
const SCHEDULE = loadScript('schedule');
const ADD_TO_GROUP = loadScript('add-to-group');

/** One script call holds up its Redis for less than a millisecond, and no buffer grows without bound. */
const MAX_ITEMS = 128;
const MAX_BYTES = 1 << 20;

/** A task counts as in when that many replicas have it as well. */
export interface ReplicaGoal {
  readonly count: number;
  readonly timeoutMs: number;
}

interface Result {
  /** 1: it is in; 0: its id is taken; -1: its lock is; -2: its claim is. */
  readonly entered: number;
  /** That are known to have it. */
  readonly replicas: number;
}

interface Item {
  readonly task: Enqueueing;
  readonly msg: Uint8Array;
}

/** A script for new tasks, and the part of its KEYS and ARGV that they share. */
interface Plan {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly RedisArg[];
}

/** Puts new tasks into their queues: those of one turn of the event loop, queue and kind with one script call. */
export class Enqueuer {
  readonly #router: Pick<RedisRouter, 'run'>;
  readonly #clock: Clock;
  readonly #registry: QueueRegistry;
  readonly #goal: ReplicaGoal | undefined;
  readonly #batcher: Batcher<Item, Result>;

  constructor(parts: {
    router: Pick<RedisRouter, 'run' | 'command'>;
    clock: Clock;
    waitReplicas?: ReplicaGoal | undefined;
  }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
    this.#goal = parts.waitReplicas;
    this.#registry = new QueueRegistry(parts);
    this.#batcher = new Batcher<Item, Result>({
      run: (items) => this.#run(items),
      maxItems: MAX_ITEMS,
      maxBytes: MAX_BYTES,
      bytesOf: ({ msg }) => msg.byteLength,
    });
  }

  async enqueue(task: Enqueueing): Promise<void> {
    const { message } = task;
    const item = { task, msg: encodeTaskMessage(message) };
    const listing = this.#registry.ensure(message.queue);
    if (listing !== undefined) await listing;
    const { entered, replicas } = await this.#batcher.add(batchKey(task), item);
    if (entered !== 1) throw refusal(entered, message);
    if (this.#goal !== undefined && replicas < this.#goal.count) throw tooFew(replicas, this.#goal, message);
  }

  async #run(items: NonEmpty<Item>): Promise<readonly Result[]> {
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
      return integers(script, reply, items.length).map((entered) => ({ entered, replicas: 0 }));
    }
    const { count, timeoutMs } = this.#goal;
    const replicas = { count, timeout: timeoutMs };
    const reply = list(script, await this.#router.run(script, keys.all(), args(0), { ...options, replicas }));
    const having = integer(script, reply[1]);
    return integers(script, reply[0] ?? null, items.length).map((entered) => ({ entered, replicas: having }));
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

/** Why a script did not let a task in. */
export function refusal(result: number, { id, queue, type }: TaskMessage): AsynqError {
  const where = `queue ${JSON.stringify(queue)}`;
  if (result === -2) return new AsynqError('ASYNQ_CLAIM_TAKEN');
  return result === 0
    ? new AsynqError('ASYNQ_TASK_ID_CONFLICT', `task ID conflicts with another task: ${id} in ${where}`)
    : new AsynqError('ASYNQ_DUPLICATE_TASK', `task already exists: type ${JSON.stringify(type)} in ${where}`);
}

function tooFew(replicas: number, { count, timeoutMs }: ReplicaGoal, { id, queue }: TaskMessage): AsynqError {
  return new AsynqError(
    'ASYNQ_NOT_REPLICATED',
    `task ${id} is in queue ${JSON.stringify(queue)}, but expected it on ${count} replicas within ${timeoutMs} ms, got ${replicas}`,
  );
}

/** Tasks with one key go into one script call. */
function batchKey({ message: { queue }, processAt, group }: Enqueueing): string {
  if (processAt !== undefined) return `at ${queue}`;
  return group === undefined ? `now ${queue}` : `group ${JSON.stringify([queue, group])}`;
}
