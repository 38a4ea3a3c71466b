import { createHash } from 'node:crypto';
import { AsynqError } from '../runtime/errors.ts';
import type { TaskState } from './states.ts';

/** SET of the names of all queues. */
export const QUEUES_KEY = 'asynq:queues';
/** ZSET of the keys of server infos, by their expiry. */
export const SERVERS_KEY = 'asynq:servers';
/** ZSET of the keys of worker infos, by their expiry. */
export const WORKERS_KEY = 'asynq:workers';
/** ZSET of the keys of schedulers' entries, by their expiry. */
export const SCHEDULERS_KEY = 'asynq:schedulers';
/** Channel on which the ids of tasks to cancel are published. */
export const CANCEL_CHANNEL = 'asynq:cancel';

/**
 * The keys of one queue. All carry the hash tag `{queue}`, so they lie in one key slot and one script may touch them all.
 *
 * The name is taken byte for byte, as Go does: case counts, and so does the Unicode form (`imágenes` in NFC and in NFD are
 * two queues). It must have passed `checkQueueName`.
 */
export class QueueKeys {
  readonly prefix: string;
  /** Of keys that asynq does not know, in the same slot. */
  readonly ownPrefix: string;

  constructor(queue: string) {
    this.prefix = `asynq:{${queue}}:`;
    this.ownPrefix = `asynq-operator:{${queue}}:`;
  }

  /** The keys of a queue whose name nobody has checked yet. @throws ASYNQ_QUEUE_NAME_INVALID */
  static of(queue: string): QueueKeys {
    checkQueueName(queue);
    return new QueueKeys(queue);
  }

  /** LIST of ids; pushed at the left, taken from the right. */
  get pending(): string {
    return `${this.prefix}pending`;
  }
  /** LIST of ids. */
  get active(): string {
    return `${this.prefix}active`;
  }
  /** ZSET id -> second in which the lease ends. */
  get lease(): string {
    return `${this.prefix}lease`;
  }
  /** ZSET id -> second in which it is due. */
  get scheduled(): string {
    return `${this.prefix}scheduled`;
  }
  /** ZSET id -> second in which it is due. */
  get retry(): string {
    return `${this.prefix}retry`;
  }
  /** ZSET id -> second in which it was archived. */
  get archived(): string {
    return `${this.prefix}archived`;
  }
  /** ZSET id -> second in which its retention is over. */
  get completed(): string {
    return `${this.prefix}completed`;
  }
  /** STRING; that it exists is what counts. */
  get paused(): string {
    return `${this.prefix}paused`;
  }
  /** SET of the names of groups thought to hold tasks. */
  get groups(): string {
    return `${this.prefix}groups`;
  }
  /** ZSET key of an aggregation set -> second in which it goes back to its group. */
  get aggregationSets(): string {
    return `${this.prefix}aggregation_sets`;
  }
  /** Counters of a lifetime. */
  get processed(): string {
    return `${this.prefix}processed`;
  }
  get failed(): string {
    return `${this.prefix}failed`;
  }
  /** ZSET server that waits for pending tasks -> Unix millisecond in which its place is free again; not asynq's. */
  get waiters(): string {
    return `${this.ownPrefix}waiters`;
  }
  /** HASH concurrency, rate_per_second -> limit of the queue over all servers; not asynq's. */
  get limits(): string {
    return `${this.ownPrefix}limits`;
  }
  /** STRING "Unix microsecond in which the next start is due" "number of starts", while there are limits; not asynq's. */
  get starts(): string {
    return `${this.ownPrefix}starts`;
  }
  /** STRING server that looks at the groups at present; not asynq's. */
  get looker(): string {
    return `${this.ownPrefix}looker`;
  }
  /** The key of a task's hash is this and its id. */
  get taskPrefix(): string {
    return `${this.prefix}t:`;
  }
  /** The key of a group's ZSET (id -> second in which it came) is this and its name. */
  get groupPrefix(): string {
    return `${this.prefix}g:`;
  }

  /** STRING id of the task that was enqueued for a periodic task in a Unix second, so that nobody else does; not asynq's. */
  cronClaim(entry: string, second: number): string {
    return `${this.ownPrefix}cron:${entry}:${second}`;
  }

  task(id: string): string {
    return this.taskPrefix + id;
  }

  group(name: string): string {
    return this.groupPrefix + name;
  }

  /** The list or set of all tasks in a state; those of `aggregating` are spread over the groups. */
  inState(state: Exclude<TaskState, 'aggregating'>): string {
    return this.prefix + state;
  }

  /** Counter of one UTC day; `atMs` is any Unix millisecond of it. */
  processedOn(atMs: number): string {
    return `${this.processed}:${utcDay(atMs)}`;
  }

  failedOn(atMs: number): string {
    return `${this.failed}:${utcDay(atMs)}`;
  }

  /**
   * The lock that makes a task unique: its type and the MD5 of its payload. No payload at all (`null`, Go's nil) and an
   * empty one are two keys, although the message cannot tell them apart.
   */
  unique(type: string, payload: Uint8Array | null): string {
    const digest = payload === null ? '' : createHash('md5').update(payload).digest('hex');
    return `${this.prefix}unique:${type}:${digest}`;
  }
}

/** STRING of a server's info. */
export function serverKey(host: string, pid: number, serverId: string): string {
  return `asynq:servers:{${host}:${pid}:${serverId}}`;
}

/** HASH task id -> info of the worker that has it; in the slot of the server's key. */
export function workersKey(host: string, pid: number, serverId: string): string {
  return `asynq:workers:{${host}:${pid}:${serverId}}`;
}

/** LIST of the entries of a scheduler; its id is `host:pid:uuid`. */
export function schedulerEntriesKey(schedulerId: string): string {
  return `asynq:schedulers:{${schedulerId}}`;
}

/** ZSET of what was enqueued for an entry, by the second in which it was. */
export function schedulerHistoryKey(entryId: string): string {
  return `asynq:scheduler_history:${entryId}`;
}

/**
 * Refuses names that cannot be a queue: blank ones, as Go does; one that starts with `}`, since its hash tag is empty
 * and its keys would scatter over slots (Go accepts it and fails with CROSSSLOT); text that is not Unicode.
 *
 * @throws ASYNQ_QUEUE_NAME_INVALID
 */
export function checkQueueName(name: string): void {
  if (typeof name !== 'string' || name.trim() === '') throw new AsynqError('ASYNQ_QUEUE_NAME_INVALID');
  const refuse = (why: string) =>
    new AsynqError('ASYNQ_QUEUE_NAME_INVALID', `queue name ${JSON.stringify(name)} ${why}`);
  if (name.startsWith('}'))
    throw refuse('must not start with "}": its keys would lie in different key slots');
  if (!name.isWellFormed()) throw refuse('must be Unicode text, and it holds half of a surrogate pair');
}

function utcDay(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
