import type { QueueSnapshot } from '../../src/broker/queue-reader.ts';
import type { RedisArg, RedisRouter } from '../../src/redis/router.ts';

/** Seconds from the moment of writing; negative: in the past. */
type Offset = number;

/** What a queue holds, put together by a test that then asks what a reader makes of it. */
export interface QueueState {
  /** From the next to run to the last; when each was put there, if that is known. */
  readonly pending: readonly (Offset | undefined)[];
  readonly active: readonly { readonly leaseEnds?: Offset; readonly hasTask: boolean }[];
  readonly scheduled: readonly Offset[];
  readonly retry: readonly Offset[];
  readonly archived: number;
  readonly completed: number;
  /** When the tasks of each group were added. */
  readonly groups: readonly (readonly Offset[])[];
  readonly aggregationSets: readonly { readonly givenBack: Offset; readonly tasks: number }[];
  readonly paused: boolean;
  readonly processed: number;
  readonly failed: number;
}

export const EMPTY_QUEUE: QueueState = {
  pending: [],
  active: [],
  scheduled: [],
  retry: [],
  archived: 0,
  completed: 0,
  groups: [],
  aggregationSets: [],
  paused: false,
  processed: 0,
  failed: 0,
};

/** The clock of the queue's owner, Unix milliseconds. */
export async function ownersClock(redis: RedisRouter, queue: string): Promise<number> {
  const [seconds, micros] = (await redis.command(`asynq:{${queue}}:`, 'TIME', [])) as [Buffer, Buffer];
  return Number(seconds) * 1_000 + Number(micros) / 1_000;
}

/** Writes the state under the key names of asynq, spelled out here: a second opinion on those of the library. */
export async function writeQueueState(redis: RedisRouter, queue: string, state: QueueState): Promise<void> {
  const now = Math.floor((await ownersClock(redis, queue)) / 1_000);
  const prefix = `asynq:{${queue}}:`;
  const write = (name: string, key: string, ...args: RedisArg[]) =>
    redis.command(prefix, name, [prefix + key, ...args]);
  const addAll = (key: string, name: string, offsets: readonly Offset[]) =>
    Promise.all(offsets.map((offset, n) => write('ZADD', key, now + offset, `${name}-${n}`)));

  for (const [n, since] of state.pending.entries()) {
    await write('LPUSH', 'pending', `p-${n}`);
    const stamp = since === undefined ? [] : ['pending_since', `${now + since}${'0'.repeat(9)}`];
    await write('HSET', `t:p-${n}`, 'msg', 'm', 'state', 'pending', ...stamp);
  }
  for (const [n, { leaseEnds, hasTask }] of state.active.entries()) {
    await write('LPUSH', 'active', `a-${n}`);
    if (leaseEnds !== undefined) await write('ZADD', 'lease', now + leaseEnds, `a-${n}`);
    await write('HSET', `t:a-${n}`, 'state', 'active', ...(hasTask ? ['msg', 'm'] : []));
  }
  await addAll('scheduled', 's', state.scheduled);
  await addAll('retry', 'r', state.retry);
  await addAll(
    'archived',
    'x',
    Array.from({ length: state.archived }, (_, n) => -n),
  );
  await addAll(
    'completed',
    'c',
    Array.from({ length: state.completed }, (_, n) => n),
  );
  for (const [n, offsets] of state.groups.entries()) {
    await write('SADD', 'groups', `group ${n}`);
    await addAll(`g:group ${n}`, `g-${n}`, offsets);
  }
  for (const [n, { givenBack, tasks }] of state.aggregationSets.entries()) {
    await write('ZADD', 'aggregation_sets', now + givenBack, `${prefix}g:set ${n}`);
    await addAll(
      `g:set ${n}`,
      `set-${n}`,
      Array.from({ length: tasks }, () => -1),
    );
  }
  if (state.paused) await write('SET', 'paused', now);
  if (state.processed > 0) await write('SET', 'processed', state.processed);
  if (state.failed > 0) await write('SET', 'failed', state.failed);
}

/** The figures that follow from a state and do not depend on the clock's exact reading. */
export function figuresOf(
  state: QueueState,
  query: {
    soonSeconds: number;
    groups: { gracePeriodSeconds: number; maxSize: number; maxDelaySeconds: number };
  },
): Partial<QueueSnapshot> {
  const timed = [...state.scheduled, ...state.retry];
  const ended = state.active.filter(({ leaseEnds }) => leaseEnds !== undefined && leaseEnds <= 0);
  const isReady = (added: readonly Offset[]) => {
    const { gracePeriodSeconds, maxSize, maxDelaySeconds } = query.groups;
    if (added.length === 0) return false;
    return (
      (maxSize > 0 && added.length >= maxSize) ||
      (maxDelaySeconds > 0 && Math.min(...added) <= -maxDelaySeconds) ||
      Math.max(...added) <= -gracePeriodSeconds
    );
  };
  return {
    paused: state.paused,
    size: {
      pending: state.pending.length,
      active: state.active.length,
      scheduled: state.scheduled.length,
      retry: state.retry.length,
      archived: state.archived,
      completed: state.completed,
      aggregating: sum(state.groups.map((group) => group.length)),
    },
    groups: state.groups.length,
    clockSkew: state.pending.slice(0, 16).some((since) => since !== undefined && since > 1),
    due: timed.filter((offset) => offset <= 0).length,
    soon: timed.filter((offset) => offset > 0 && offset <= query.soonSeconds).length,
    orphaned: ended.filter(({ hasTask }) => hasTask).length,
    ghosts:
      ended.filter(({ hasTask }) => !hasTask).length +
      state.active.filter(({ leaseEnds }) => leaseEnds === undefined).length,
    readyGroups:
      sum(state.groups.filter(isReady).map((group) => group.length)) +
      sum(state.aggregationSets.filter(({ givenBack }) => givenBack <= 0).map(({ tasks }) => tasks)),
    processed: state.processed,
    failed: state.failed,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
