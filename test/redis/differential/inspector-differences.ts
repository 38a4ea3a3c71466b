import type { Difference, GoCalled } from './differences.ts';
import { GROUPS } from './names.ts';
import type { Hand } from './side.ts';

/** Archived tasks are dropped after so long, seconds. */
const ARCHIVE_SECONDS = 90 * 86_400;

const PLACES = ['pending', 'scheduled', 'retry', 'archived', 'completed', 'active'] as const;

/** Those of the inspector that sequences meet, by name. */
export const MENDED_INSPECTIONS: Readonly<Record<string, Difference>> = {
  // Before the others, which are about tasks that are there.
  'an id without a task is dropped when all are run or archived': {
    reason: 'Go gives it a hash that holds nothing but its new state.',
    before: async ({ op, call, hand }) => {
      if (!op.startsWith('RunAll') && !op.startsWith('ArchiveAll')) return undefined;
      for (const id of await idsOf(hand, placeOf(op), call.group)) {
        if ((await hand.do('EXISTS', hand.keys.task(id))) === 1) continue;
        await hand.do('LREM', hand.keys.pending, 0, id);
        for (const set of ['scheduled', 'retry', 'archived'] as const)
          await hand.do('ZREM', hand.keys.inState(set), id);
      }
      return undefined;
    },
  },
  'a task that is run says since when it waits': {
    reason: "Go's RunTask and RunAll write no pending_since: the queue's latency does not know of it.",
    before: async ({ op, call, hand }) => {
      if (!op.startsWith('RunAll')) return undefined;
      for (const id of await idsOf(hand, placeOf(op), call.group)) await stamp(hand, id, call.now);
      return undefined;
    },
    mend: async ({ op, call, error, hand }) => {
      if (op === 'RunTask' && error === undefined) await stamp(hand, call.id ?? '', call.now);
      return undefined;
    },
  },
  'a task that is run leaves its group for good': {
    reason: 'With Go, its first failure takes it back into the group, which nobody announces.',
    before: async ({ op, call, hand }) => {
      if (!op.startsWith('RunAll')) return undefined;
      for (const id of await idsOf(hand, placeOf(op), call.group))
        await hand.do('HDEL', hand.keys.task(id), 'group');
      return undefined;
    },
    mend: async ({ op, call, error, hand }) => {
      if (op === 'RunTask' && error === undefined)
        await hand.do('HDEL', hand.keys.task(call.id ?? ''), 'group');
      return undefined;
    },
  },
  'tasks that are deleted leave no lock': {
    reason:
      "Go's DeleteAllPending and DeleteAllAggregating leave them: their like is refused until the locks end.",
    before: async ({ op, call, hand }) => {
      if (op !== 'DeleteAllPendingTasks' && op !== 'DeleteAllAggregatingTasks') return undefined;
      for (const id of await idsOf(hand, placeOf(op), call.group)) await unlock(hand, id);
      return undefined;
    },
  },
  'what an archive drops leaves no hash and no lock': {
    reason:
      "Go's ArchiveTask and ArchiveAll drop the ids alone: the hashes stay for ever and block their ids.",
    before: async (called) => {
      if (!isArchive(called)) return undefined;
      const { call, hand } = called;
      const cutoff = Math.floor(call.now / 1000) - ARCHIVE_SECONDS;
      for (const id of await hand.texts('ZRANGE', hand.keys.archived, '-inf', cutoff, 'BYSCORE')) {
        if (!(await willArchive(called))) break;
        await unlock(hand, id);
        await hand.do('DEL', hand.keys.task(id));
      }
      return undefined;
    },
  },
  'an archive of nothing drops nothing': {
    reason: 'Ours looks at the archive when it puts something in; that is when it grows.',
    before: async (called) => {
      if (!called.op.startsWith('ArchiveAll') || (await willArchive(called))) return undefined;
      return { value: 0 };
    },
  },
  'figures are told although a task is lost': {
    reason: "Go's CurrentStats fails while a task that it weighs is gone.",
    before: async ({ op, hand }) => {
      if (op === 'CurrentStats') await forLost(hand, (key) => hand.do('HSET', key, PLACEHOLDER, ''));
      return undefined;
    },
    mend: async ({ op, hand }) => {
      if (op === 'CurrentStats') await forLost(hand, (key) => hand.do('HDEL', key, PLACEHOLDER));
      return undefined;
    },
  },
};

const PLACEHOLDER = 'a lost task';

/** Those of the inspector that no sequence meets. */
export const INSPECTIONS_BEYOND: Readonly<Record<string, Pick<Difference, 'reason'>>> = {
  'a lost task is listed, with the reason': {
    reason: 'Go lists a task without id, type and queue.',
  },
  'latency is that of the task that waits longest': {
    reason: 'Go asks the next to run alone, which one that was given back is.',
  },
  'a queue that is not listed is there as long as it holds tasks': {
    reason: 'Its listing lies on another node and may be lost; Go then shows nothing of it.',
  },
  'a queue that is removed is gone': {
    reason:
      'Go takes no notice of completed and of grouped tasks, and leaves them, the counters and the pause behind.',
  },
};

type Place = (typeof PLACES)[number] | 'aggregating';

/** `RunAllScheduledTasks` is about `scheduled`. */
function placeOf(op: string): Place {
  return op.replace(/^[A-Z][a-z]+All(.*)Tasks$/, '$1').toLowerCase() as Place;
}

async function idsOf(hand: Hand, place: Place, group = ''): Promise<string[]> {
  if (place === 'aggregating') return hand.texts('ZRANGE', hand.keys.group(group), 0, -1);
  const isList = place === 'pending' || place === 'active';
  return hand.texts(isList ? 'LRANGE' : 'ZRANGE', hand.keys.inState(place), 0, -1);
}

async function stamp(hand: Hand, id: string, now: number): Promise<void> {
  await hand.do('HSET', hand.keys.task(id), 'pending_since', `${now}000000`);
}

async function unlock(hand: Hand, id: string): Promise<void> {
  const lock = await hand.do('HGET', hand.keys.task(id), 'unique_key');
  if (Buffer.isBuffer(lock) && String(await hand.do('GET', lock)) === id) await hand.do('DEL', lock);
}

function isArchive({ op }: GoCalled): boolean {
  return op === 'ArchiveTask' || op.startsWith('ArchiveAll');
}

/** Whether there is something that the call can archive. */
async function willArchive({ op, call, hand }: GoCalled): Promise<boolean> {
  if (op !== 'ArchiveTask') return (await idsOf(hand, placeOf(op), call.group)).length > 0;
  const [state, group] = (await hand.do(
    'HMGET',
    hand.keys.task(call.id ?? ''),
    'state',
    'group',
  )) as (Buffer | null)[];
  if (state === null || state === undefined) return false;
  const place = String(state) as Place;
  if (place === 'active' || place === 'archived') return false;
  return (await idsOf(hand, place, String(group))).includes(call.id ?? '');
}

async function forLost(hand: Hand, each: (key: string) => Promise<unknown>): Promise<void> {
  const places: [Place, string?][] = [
    ...PLACES.map((place): [Place] => [place]),
    ...GROUPS.map((group): [Place, string] => ['aggregating', group]),
  ];
  for (const [place, group] of places) {
    for (const id of await idsOf(hand, place, group)) {
      const key = hand.keys.task(id);
      if ((await hand.do('HEXISTS', key, 'msg')) === 0) await each(key);
    }
  }
}
