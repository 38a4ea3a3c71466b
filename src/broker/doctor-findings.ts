interface Kind {
  readonly what: string;
  /** What mending does; absent: nothing that a program should decide. */
  readonly fix?: string;
  /** Worth knowing, but no fault. */
  readonly isNotice?: true;
}

/** Stable; texts are for people. */
export type FindingCode =
  | 'active-without-lease'
  | 'lease-without-active'
  | 'id-without-task'
  | 'task-in-no-list'
  | 'group-not-listed'
  | 'aggregation-set-not-listed'
  | 'aggregation-set-stale'
  | 'lock-without-task'
  | 'message-unreadable'
  | 'unreadable-archived'
  | 'queue-not-listed'
  | 'queue-being-removed'
  | 'index-entry-dead'
  | 'history-without-end'
  | 'eviction-policy';

/** What can be amiss: what it is, and what is done about it. */
const KINDS: Readonly<Record<FindingCode, Kind>> = {
  'active-without-lease': {
    what: 'active tasks without a lease, which nobody brings back',
    fix: 'gives each a lease: a worker that lives goes on with it, else its end brings the task back',
  },
  'lease-without-active': {
    what: 'leases that are over, of tasks that are not active, at which recoverers fail for ever',
    fix: 'deletes the leases',
  },
  'id-without-task': {
    what: 'ids in a list or set whose task is gone',
    fix: 'takes the ids out',
  },
  'task-in-no-list': {
    what: 'tasks that no list or set leads to, which block their ids',
    fix: 'archives them with a reason, while the archive has room; what has no message is deleted',
  },
  'group-not-listed': {
    what: 'groups that hold tasks and that no aggregator looks at',
    fix: 'lists the groups',
  },
  'aggregation-set-not-listed': {
    what: 'aggregation sets that nobody returns to their groups',
    fix: 'returns their tasks to their groups',
  },
  'aggregation-set-stale': {
    what: 'aggregation sets whose time has been over for minutes',
    fix: 'returns their tasks to their groups',
  },
  'lock-without-task': {
    what: 'unique locks whose task is gone, which keep its like out',
    fix: 'deletes the locks',
  },
  'message-unreadable': {
    what: 'tasks whose message does not decode',
    fix: 'archives those that are not active, while the archive has room',
  },
  'unreadable-archived': {
    what: 'archived tasks whose message did not decode; see `asynq task inspect`, then delete them',
    isNotice: true,
  },
  'queue-not-listed': {
    what: 'queues that hold tasks and that no inspector sees',
    fix: 'lists the queues',
  },
  'queue-being-removed': {
    what: 'queues whose removal has not ended, to which their tasks are left; if it died, remove them again',
    isNotice: true,
  },
  'index-entry-dead': {
    what: 'index entries of servers and schedulers that died',
    fix: 'deletes the entries',
  },
  'history-without-end': {
    what: 'histories of schedulers that died, which stay for ever',
    fix: 'lets them end in 90 days',
  },
  'eviction-policy': {
    what: 'masters that evict keys when memory runs out, and so lose tasks: set maxmemory-policy to noeviction',
  },
};

/** Names that a finding gives. */
const EXAMPLES = 5;

export interface Finding {
  readonly code: FindingCode;
  /** Undefined: of no queue. */
  readonly queue: string | undefined;
  readonly what: string;
  /** What mending does; undefined: it is not mended. */
  readonly fix: string | undefined;
  readonly isFault: boolean;
  readonly count: number;
  readonly fixed: number;
  /** The first of them: ids of tasks, names, keys. */
  readonly examples: readonly string[];
}

/** Collects what is found, one finding for each kind and queue; what is found twice counts once. */
export class FindingsBook {
  readonly #entries = new Map<string, Entry>();

  /** `fixed`: those that are mended by now. */
  add(
    code: FindingCode,
    queue: string | undefined,
    names: readonly string[],
    fixed: readonly string[],
  ): void {
    if (names.length === 0) return;
    const key = JSON.stringify([queue, code]);
    const entry = this.#entries.get(key) ?? { code, queue, names: new Set(), fixed: new Set() };
    this.#entries.set(key, entry);
    for (const name of names) entry.names.add(name);
    for (const name of fixed) entry.fixed.add(name);
  }

  /** By queue, what concerns all of them last. */
  all(): Finding[] {
    const order = ({ queue, code }: Finding) => `${queue === undefined ? 1 : 0}${queue ?? ''}\0${code}`;
    const found = [...this.#entries.values()].map(findingOf);
    return found.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
  }
}

function findingOf({ code, queue, names, fixed }: Entry): Finding {
  const { what, fix, isNotice } = KINDS[code];
  const examples = [...names].slice(0, EXAMPLES);
  return {
    code,
    queue,
    what,
    fix,
    isFault: isNotice !== true,
    count: names.size,
    fixed: fixed.size,
    examples,
  };
}

interface Entry {
  readonly code: FindingCode;
  readonly queue: string | undefined;
  readonly names: Set<string>;
  readonly fixed: Set<string>;
}
