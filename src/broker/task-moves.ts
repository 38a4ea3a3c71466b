import type { RedisArg, RedisRouter, Script } from '../redis/router.ts';
import { unixSeconds } from '../runtime/clock.ts';
import type { QueueKeys } from '../wire/keys.ts';
import { ARCHIVED_EXPIRATION_DAYS, MAX_ARCHIVE_SIZE } from '../wire/limits.ts';
import { BatchKeys } from './batch-keys.ts';
import { integers } from './replies.ts';
import { loadScript } from './scripts.ts';
import { unixNanoseconds } from './unix-nanoseconds.ts';

/** What an inspector does with tasks that nobody works on. */
export type MoveKind = 'run' | 'archive' | 'delete';

/** The list or set that holds the tasks, and the group whose set it is. */
export interface Source {
  readonly key: string;
  readonly group?: string;
}

export interface Movable {
  readonly id: string;
  /** The key of its lock, if it has one. */
  readonly lock: string | undefined;
}

/** `absent`: it was not there any more; `dropped`: there was its id, but no message. */
export type Moved = 'moved' | 'dropped' | 'absent';

const OUTCOMES: readonly Moved[] = ['absent', 'moved', 'dropped'];

interface MoveCall {
  readonly script: Script;
  readonly keys: readonly string[];
  /** 1: the call may have run before. */
  readonly args: (ranBefore: 0 | 1) => readonly RedisArg[];
}

const RUN = loadScript('inspect-run');
const ARCHIVE = loadScript('inspect-archive');
const DELETE = loadScript('inspect-delete');

/**
 * Takes tasks out of their list or set, and runs, archives or deletes them; how each fared. A task that is no longer there
 * is left alone and fails no other.
 */
export async function moveTasks(
  router: Pick<RedisRouter, 'run'>,
  kind: MoveKind,
  tasks: readonly Movable[],
  where: Where,
): Promise<Moved[]> {
  const { script, keys, args } = CALLS[kind](tasks, where);
  const reply = await router.run(script, keys, args(0), { argsWhenResent: () => args(1) });
  return integers(script, reply, tasks.length).map((result) => OUTCOMES[result] ?? 'absent');
}

interface Where {
  readonly queue: QueueKeys;
  readonly source: Source;
  /** Of a list, how far from its right end tasks are looked for; 0: everywhere. */
  readonly near: number;
  readonly nowMs: number;
}

type CallBuilder = (tasks: readonly Movable[], where: Where) => MoveCall;

const CALLS: Readonly<Record<MoveKind, CallBuilder>> = {
  run: (tasks, where) => ({
    script: RUN,
    keys: [...takenFrom(where), where.queue.pending, ...hashes(where, tasks)],
    args: (ranBefore) => [...takingArgs(ranBefore, where), unixNanoseconds(where.nowMs)],
  }),

  archive: (tasks, where) => {
    const now = unixSeconds(where.nowMs);
    const oldest = now - ARCHIVED_EXPIRATION_DAYS * 24 * 3600;
    return {
      script: ARCHIVE,
      keys: [...takenFrom(where), where.queue.archived, ...hashes(where, tasks)],
      args: (ranBefore) => [...takingArgs(ranBefore, where), now, oldest, MAX_ARCHIVE_SIZE - 1],
    };
  },

  delete: (tasks, where) => {
    const { queue } = where;
    const keys = new BatchKeys(takenFrom(where));
    const ofLocks: number[] = [];
    for (const { id, lock } of tasks) {
      const number = keys.add(queue.task(id));
      // A lock of another slot, in a message that no client of ours wrote, would have Redis refuse the whole call.
      if (!lock?.startsWith(queue.prefix)) continue;
      keys.addLock(lock);
      ofLocks.push(number);
    }
    return {
      script: DELETE,
      keys: keys.all(),
      args: (ranBefore) => [...takingArgs(ranBefore, where), tasks.length, ...ofLocks],
    };
  },
};

// What `taking.lua` explains.

function takenFrom({ queue, source }: Where): string[] {
  return [source.key, queue.groups];
}

function takingArgs(ranBefore: 0 | 1, { queue, source, near }: Where): RedisArg[] {
  return [ranBefore, queue.taskPrefix, source.group ?? '', near];
}

function hashes({ queue }: Where, tasks: readonly Movable[]): string[] {
  return tasks.map(({ id }) => queue.task(id));
}
