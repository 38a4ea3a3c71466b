import * as fc from 'fast-check';
import { HURTING_NAMES } from '../../support/redis-broker.ts';
import { type Inspection, inspection } from './inspections.ts';
import { GROUPS, IDS, PAYLOADS, TYPES } from './names.ts';

/* What a sequence is made of. */

export interface NewTask {
  readonly id: string;
  readonly type: string;
  /** Null: no payload at all, which another lock stands for than for an empty one. */
  readonly payload: string | null;
  readonly retry: number;
  /** Seconds. */
  readonly retention: number;
  readonly timeout: number;
  readonly header: readonly [string, string] | undefined;
  /** Seconds that its lock lives; undefined: it needs none. */
  readonly unique: number | undefined;
}

export type Placement =
  | { readonly kind: 'now' }
  | { readonly kind: 'at'; readonly seconds: number }
  | { readonly kind: 'group'; readonly group: string };

export type Ending =
  | { readonly kind: 'done' | 'revoke' | 'requeue' }
  | { readonly kind: 'archive'; readonly error: string }
  | { readonly kind: 'retry'; readonly error: string; readonly seconds: number; readonly isFailure: boolean };

export type Operation =
  | Inspection
  /** The tasks come in one turn, as ours batches them, or in one call; Go takes one after the other. */
  | {
      readonly do: 'enqueue' | 'enqueueMany';
      readonly where: Placement;
      readonly tasks: readonly NewTask[];
    }
  | { readonly do: 'dequeue'; readonly count: number }
  /** Of the tasks that are held, `from` the so-manieth, `count` of them in one turn. */
  | { readonly do: 'settle'; readonly from: number; readonly count: number; readonly how: Ending }
  | { readonly do: 'extend' | 'forward' | 'recover' | 'reclaim' | 'clean' }
  | { readonly do: 'result'; readonly id: string; readonly data: string }
  /** A look of an aggregator at one group, to make its tasks `made`; or it dies before. Spans are seconds. */
  | {
      readonly do: 'aggregate';
      readonly group: string;
      readonly gracePeriod: number;
      readonly maxDelay: number;
      readonly maxSize: number;
      readonly made: NewTask | undefined;
    }
  | { readonly do: 'wait'; readonly ms: number }
  /** A lock ends before its task. */
  | { readonly do: 'unlock'; readonly type: string; readonly payload: string | null }
  /** An id whose task is lost, as an eviction or a lost write leaves it. */
  | { readonly do: 'lose'; readonly from: 'pending' | 'scheduled' | 'retry' | 'active' };

const task: fc.Arbitrary<NewTask> = fc.record({
  id: fc.constantFrom(...IDS),
  type: fc.constantFrom(...TYPES),
  payload: fc.constantFrom(...PAYLOADS),
  retry: fc.constantFrom(0, 1, 25),
  retention: fc.constantFrom(0, 20, 40, 86_400),
  timeout: fc.constantFrom(0, 1_800),
  header: fc.constantFrom(undefined, undefined, ['k', 'v'] as const, ['ñ', ''] as const),
  unique: fc.constantFrom(undefined, undefined, 90, 3_630),
});

const where: fc.Arbitrary<Placement> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'now' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('at' as const), seconds: fc.constantFrom(1, 20, 90, 86_400) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('group' as const), group: fc.constantFrom(...GROUPS) }),
  },
);

const error = fc.constantFrom('', 'no route — 📷', 'x');

const how: fc.Arbitrary<Ending> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('done' as const, 'done' as const, 'revoke' as const, 'requeue' as const),
  }),
  fc.record({ kind: fc.constant('archive' as const), error }),
  fc.record({
    kind: fc.constant('retry' as const),
    error,
    seconds: fc.constantFrom(0, 10, 90),
    isFailure: fc.boolean(),
  }),
);

const DAY_MS = 86_400_000;

const enqueue = (into: fc.Arbitrary<Placement>): fc.Arbitrary<Operation> =>
  fc.record({
    do: fc.constantFrom('enqueue' as const, 'enqueueMany' as const),
    where: into,
    tasks: fc.array(task, { minLength: 1, maxLength: 4 }),
  });

const dequeue: fc.Arbitrary<Operation> = fc.record({
  do: fc.constant('dequeue' as const),
  count: fc.integer({ min: 1, max: 4 }),
});

const settle: fc.Arbitrary<Operation> = fc.record({
  do: fc.constant('settle' as const),
  from: fc.nat(5),
  count: fc.integer({ min: 1, max: 3 }),
  how,
});

type Upkeep = 'extend' | 'forward' | 'recover' | 'reclaim' | 'clean';

const upkeep = (...kinds: Upkeep[]): fc.Arbitrary<Operation> => fc.record({ do: fc.constantFrom(...kinds) });

const result: fc.Arbitrary<Operation> = fc.record({
  do: fc.constant('result' as const),
  id: fc.constantFrom(...IDS),
  data: fc.constantFrom('', '42'),
});

const aggregate = (...groups: string[]): fc.Arbitrary<Operation> =>
  fc.record({
    do: fc.constant('aggregate' as const),
    group: fc.constantFrom(...groups),
    gracePeriod: fc.constantFrom(0, 0, 1, 60),
    maxDelay: fc.constantFrom(0, 0, 20, 90),
    maxSize: fc.constantFrom(0, 1, 2, 3),
    // Locks of the tasks that it is made of are another matter: see the differences.
    made: fc.option(
      task.map((made) => ({ ...made, unique: undefined })),
      { nil: undefined },
    ),
  });

const wait = (...ms: number[]): fc.Arbitrary<Operation> =>
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(...ms) });

const unlock: fc.Arbitrary<Operation> = fc.record({
  do: fc.constant('unlock' as const),
  type: fc.constantFrom(...TYPES),
  payload: fc.constantFrom(...PAYLOADS),
});

const lose: fc.Arbitrary<Operation> = fc.record({
  do: fc.constant('lose' as const),
  from: fc.constantFrom('pending' as const, 'scheduled' as const, 'retry' as const, 'active' as const),
});

type Weighted = [weight: number, arbitrary: fc.Arbitrary<Operation>];

const oneOf = (...all: Weighted[]): fc.Arbitrary<Operation> =>
  fc.oneof(...all.map(([weight, arbitrary]) => ({ weight, arbitrary })));

const SPANS_MS = [1, 999, 20_000, 31_000, 61_000, 100_000, 121_000, DAY_MS, 91 * DAY_MS];

const anything = oneOf(
  [12, inspection],
  [8, enqueue(where)],
  [6, dequeue],
  [7, settle],
  [6, upkeep('extend', 'forward', 'recover', 'reclaim', 'clean')],
  [1, result],
  [3, aggregate(...GROUPS)],
  [5, wait(...SPANS_MS)],
  [1, unlock],
  [1, lose],
);

/** Of everything, little is done far enough: to the end of a retention, to the return of a set. */
const work = oneOf(
  [4, enqueue(fc.constant({ kind: 'now' }))],
  [5, dequeue],
  [5, settle],
  [4, upkeep('extend', 'forward', 'recover', 'clean', 'clean')],
  [4, wait(20_000, 20_000, 31_000, 61_000)],
);

const [A_GROUP] = GROUPS;
const grouping = oneOf(
  [4, enqueue(fc.constant({ kind: 'group', group: A_GROUP }))],
  [4, aggregate(A_GROUP)],
  [3, upkeep('reclaim')],
  [4, wait(1_000, 20_000, 61_000, 121_000)],
  [2, inspection],
  [1, dequeue],
);

export interface Sequence {
  readonly queue: string;
  readonly operations: readonly Operation[];
}

const sequenceOf = (operation: fc.Arbitrary<Operation>) =>
  fc.array(operation, { minLength: 2, maxLength: 40, size: 'max' });

export const sequence: fc.Arbitrary<Sequence> = fc.record({
  queue: fc.constantFrom('queue', 'queue', ...HURTING_NAMES),
  operations: fc.oneof(
    { weight: 4, arbitrary: sequenceOf(anything) },
    { weight: 1, arbitrary: sequenceOf(work) },
    { weight: 1, arbitrary: sequenceOf(grouping) },
  ),
});
