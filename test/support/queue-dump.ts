import type { Cluster, Redis } from 'ioredis';
import { QueueKeys } from '../../src/wire/keys.ts';
import { decodeTaskMessage, type TaskMessage } from '../../src/wire/task-message.ts';

/** A task's hash, its message decoded. */
export interface TaskDump {
  readonly message: TaskMessage | undefined;
  readonly [field: string]: unknown;
}

/** All that a queue has in Redis, as a program that knows only asynq's keys finds it. */
export interface QueueDump {
  /** Ids, the next to run last. */
  readonly pending: string[];
  readonly active: string[];
  /** Id -> score. */
  readonly lease: Record<string, number>;
  readonly scheduled: Record<string, number>;
  readonly retry: Record<string, number>;
  readonly archived: Record<string, number>;
  readonly completed: Record<string, number>;
  /** Group -> id -> score. */
  readonly groups: Record<string, Record<string, number>>;
  readonly tasks: Record<string, TaskDump>;
}

/** `ids`: tasks whose hashes to read besides those of the ids found. */
export async function dumpQueue(
  redis: Redis | Cluster,
  queue: string,
  ids: readonly string[] = [],
): Promise<QueueDump> {
  const keys = new QueueKeys(queue);
  const zset = async (key: string) => scores(await redis.zrange(key, '0', '-1', 'WITHSCORES'));
  const sets = {
    lease: await zset(keys.lease),
    scheduled: await zset(keys.inState('scheduled')),
    retry: await zset(keys.retry),
    archived: await zset(keys.archived),
    completed: await zset(keys.completed),
  };
  const pending = await redis.lrange(keys.pending, 0, -1);
  const active = await redis.lrange(keys.active, 0, -1);
  const groups = await readAll(await redis.smembers(keys.groups), (name) => zset(keys.group(name)));
  const inSets = [...Object.values(sets), ...Object.values(groups)].flatMap((set) => Object.keys(set));
  const found = new Set([...pending, ...active, ...inSets, ...ids]);
  const tasks = await readAll([...found], (id) => dumpTask(redis, queue, id));
  return { pending, active, ...sets, groups, tasks };
}

export async function dumpTask(redis: Redis | Cluster, queue: string, id: string): Promise<TaskDump> {
  const { msg, ...fields } = await redis.hgetallBuffer(new QueueKeys(queue).task(id));
  const texts = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value.toString()]));
  return { ...texts, message: msg && decodeTaskMessage(new Uint8Array(msg)) };
}

function scores(flat: readonly string[]): Record<string, number> {
  const entries: [string, number][] = [];
  for (let i = 0; i < flat.length; i += 2) entries.push([String(flat[i]), Number(flat[i + 1])]);
  return Object.fromEntries(entries);
}

async function readAll<T>(
  names: readonly string[],
  read: (name: string) => Promise<T>,
): Promise<Record<string, T>> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)] as const)));
}
