import type { Both } from './both.ts';
import type { NewTask, Operation } from './operations.ts';
import { readable, type State } from './queue-state.ts';

/* The words of the tests that show differences. */

export const A: NewTask = {
  id: 'a',
  type: 't',
  payload: 'x',
  retry: 25,
  retention: 0,
  timeout: 0,
  header: undefined,
  unique: undefined,
};
/** The lock of A, if it is unique. */
export const LOCK = `unique:t:9dd4e461268c8034f5c8564e155c67a6`;
export const enqueue = (...tasks: NewTask[]): Operation => ({ do: 'enqueue', where: { kind: 'now' }, tasks });
export const enqueueLater = (...tasks: NewTask[]): Operation => ({
  do: 'enqueue',
  where: { kind: 'at', seconds: 1 },
  tasks,
});
export const enqueueInGroup = (...tasks: NewTask[]): Operation => ({
  do: 'enqueue',
  where: { kind: 'group', group: 'g' },
  tasks,
});
export const dequeue: Operation = { do: 'dequeue', count: 1 };
export const wait = (ms: number): Operation => ({ do: 'wait', ms });
export const aggregate = (made?: NewTask): Operation => ({
  do: 'aggregate',
  group: 'g',
  gracePeriod: 0,
  maxDelay: 0,
  maxSize: 0,
  made,
});

export type Contents = Readonly<Record<string, unknown>>;

export interface Shown {
  /** What each operation gave. */
  readonly answers: readonly unknown[];
  /** What is left in Redis, by the ends of the keys. */
  readonly left: Contents;
}

/** What Go and we do when nothing is mended. */
export async function unmended(
  both: Both,
  operations: readonly Operation[],
): Promise<{ go: Shown; ours: Shown }> {
  const { go, ours } = await both.run({ queue: 'queue', operations }, { differences: [] });
  return {
    go: { answers: go.answers, left: contents(go.state) },
    ours: { answers: ours.answers, left: contents(ours.state) },
  };
}

function contents(state: State): Contents {
  const entries = Object.entries(readable(state) as State);
  return Object.fromEntries(
    entries.map(([key, { content }]) => [key.replace(/^asynq:\{Q+\}:/, ''), content]),
  );
}
