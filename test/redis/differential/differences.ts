import { decodeTaskMessage, type TaskMessage } from '../../../src/wire/task-message.ts';
import { type GoCall, GoError } from '../../support/go-broker.ts';
import { GROUPS } from './names.ts';
import { GRACE_SECONDS, type Hand } from './side.ts';

/** A call of Go's broker that is over, and a hand on its queue. */
export interface GoCalled {
  readonly op: string;
  readonly call: GoCall;
  readonly error?: GoError | undefined;
  readonly hand: Hand;
}

/**
 * Something that we do otherwise than Go, and mean to; a test that has its name shows it.
 *
 * `mend` sees to it that a sequence can go on after it: it brings Go's queue to where ours is, and touches nothing but
 * what the difference is about, so that every other difference is a fault. `again`: the call has to be made once more; an
 * error: what ours says instead. `before` does the same ahead of a call, where afterwards too little would be left to
 * tell; what it gives back is what ours says, and Go is not called.
 */
export interface Difference {
  readonly reason: string;
  readonly before?: (called: GoCalled) => Promise<{ readonly value: unknown } | undefined>;
  readonly mend?: (called: GoCalled) => Promise<'again' | GoError | undefined>;
}

/** Those that sequences meet, by name. */
export const MENDED: Readonly<Record<string, Difference>> = {
  'an id that is taken leaves no lock': {
    reason:
      'Go locks before it looks for the id, and nobody owns that lock: its like is refused until it ends.',
    mend: async ({ op, call, error, hand }) => {
      if (op.endsWith('Unique') && error?.kind === 'conflict')
        await hand.do('DEL', messageIn(call).uniqueKey);
      return undefined;
    },
  },
  'a unique task in a group knows its lock': {
    reason:
      "Go's AddToGroupUnique does not write it into the hash, so that whoever deletes the task leaves the lock.",
    mend: async ({ op, call, error, hand }) => {
      if (op !== 'AddToGroupUnique' || error !== undefined) return undefined;
      const { id, uniqueKey } = messageIn(call);
      await hand.do('HSET', hand.keys.task(id), 'unique_key', uniqueKey);
      return undefined;
    },
  },
  'a task that is given back says since when it waits': {
    reason: "Go's Requeue writes no pending_since: such a queue has a latency of zero, whatever waits in it.",
    mend: async ({ op, call, hand }) => {
      if (op !== 'Requeue') return undefined;
      await hand.do('HSET', hand.keys.task(messageIn(call).id), 'pending_since', nanoseconds(call.now));
      return undefined;
    },
  },
  'a group that gets its tasks back is announced': {
    reason:
      'Go moves the tasks of a stale set to their group and does not name the group: no aggregator sees it.',
    mend: async ({ op, hand }) => {
      if (op !== 'ReclaimStaleAggregationSets') return undefined;
      for (const group of GROUPS) {
        if ((await hand.do('EXISTS', hand.keys.group(group))) === 1)
          await hand.do('SADD', hand.keys.groups, group);
      }
      return undefined;
    },
  },
  'tasks that were made one leave no lock': {
    reason:
      "Go's DeleteAggregationSet deletes the tasks and not their locks: their like is refused until those end.",
    mend: async ({ op, call, error, hand }) => {
      if (op !== 'DeleteAggregationSet' || error !== undefined) return undefined;
      for (const { id, uniqueKey } of (call.msgs ?? []).map(decoded)) {
        if (uniqueKey !== '' && String(await hand.do('GET', uniqueKey)) === id)
          await hand.do('DEL', uniqueKey);
      }
      return undefined;
    },
  },
  'a result makes no task': {
    reason:
      "Go's WriteResult asks for no task: one that is gone comes back as a hash that blocks its id for ever.",
    mend: async ({ op, call, error, hand }) => {
      const task = hand.keys.task(call.id ?? '');
      if (op !== 'WriteResult' || error !== undefined) return undefined;
      if ((await hand.do('HEXISTS', task, 'msg')) === 1) return undefined;
      await hand.do('DEL', task);
      return new GoError({ kind: 'task not found', code: 'NOT_FOUND', text: 'task not found' });
    },
  },
  'an id without a task is dropped at the dequeue': {
    reason:
      'Go leaves it in active and lease for ever, with a hash that holds nothing, and says that the queue is empty.',
    mend: async ({ op, error, hand }) => {
      if (op !== 'Dequeue' || error?.kind !== 'empty') return undefined;
      const [ghost] = await hand.texts('LRANGE', hand.keys.active, 0, 0);
      if (ghost === undefined || !(await isHollow(hand, ghost))) return undefined;
      await hand.do('LREM', hand.keys.active, 1, ghost);
      await hand.do('ZREM', hand.keys.lease, ghost);
      await hand.do('DEL', hand.keys.task(ghost));
      return 'again';
    },
  },
  'an id without a task is dropped when it is due': {
    reason: 'Go puts it into pending with a hash that holds nothing, where it becomes a ghost.',
    mend: async ({ op, hand }) => {
      if (op !== 'ForwardIfReady') return undefined;
      for (const id of await hand.texts('LRANGE', hand.keys.pending, 0, -1)) {
        if (!(await isHollow(hand, id))) continue;
        await hand.do('LREM', hand.keys.pending, 0, id);
        await hand.do('DEL', hand.keys.task(id));
      }
      return undefined;
    },
  },
  'a lease without a task ends': {
    reason: "Go's recoverer passes over it at each of its looks, and it stays in active for ever.",
    mend: async ({ op, call, hand }) => {
      if (op !== 'ListLeaseExpired') return undefined;
      const cutoff = Math.floor(call.now / 1000) - GRACE_SECONDS;
      for (const id of await hand.texts('ZRANGE', hand.keys.lease, '-inf', cutoff, 'BYSCORE')) {
        if ((await hand.do('HEXISTS', hand.keys.task(id), 'msg')) === 1) continue;
        await hand.do('ZREM', hand.keys.lease, id);
        await hand.do('LREM', hand.keys.active, 1, id);
      }
      return undefined;
    },
  },
};

/** Those that no sequence meets. */
export const BEYOND: Readonly<Record<string, Pick<Difference, 'reason'>>> = {
  'a task that falls due goes to a group that is announced': {
    reason:
      "Go's forwarder does not name the group: no aggregator sees it. No task of ours has both, see `run`.",
  },
  'a lease that has ended is taken over': {
    reason: 'Go only lists it, so that every server that looks at the same moment settles the same task.',
  },
  'what is settled is not settled again': {
    reason:
      "Go's write fails with NOT FOUND, which says nothing of why; ours says that the task was no longer its own.",
  },
  'a task that was lost while it ran is counted, and its lock is free': {
    reason: "Go's Done stops halfway: the id is gone from active, nothing is counted and the lock stays.",
  },
  'counters begin anew at the very end': {
    reason:
      'Go compares them as doubles, hence up to 512 too early, and resets the failed with the processed.',
  },
  'one archive drops a bounded number': {
    reason: "Go drops all that is too much in one script: thousands of them, and Lua's unpack fails.",
  },
  'a message that cannot be read is archived': {
    reason: 'Go leaves it in active, and its recoverer then fails for all tasks of the queue.',
  },
  'a lease ends for its holder no later than in Redis': {
    reason:
      'Redis holds the second, Go the fraction too, in which another server may already take the task over.',
  },
};

/** A hash without a message, as Go makes one for an id that has none. */
async function isHollow(hand: Hand, id: string): Promise<boolean> {
  const task = hand.keys.task(id);
  return (await hand.do('HEXISTS', task, 'msg')) === 0 && (await hand.do('EXISTS', task)) === 1;
}

function messageIn({ msg = '' }: GoCall): TaskMessage {
  return decoded(msg);
}

function decoded(base64: string): TaskMessage {
  return decodeTaskMessage(new Uint8Array(Buffer.from(base64, 'base64')));
}

function nanoseconds(ms: number): string {
  return `${ms}000000`;
}
