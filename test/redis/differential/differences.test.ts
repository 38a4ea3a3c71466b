import { afterEach, describe, expect, it } from 'vitest';
import { Both } from './both.ts';
import { MENDED } from './differences.ts';
import type { NewTask, Operation } from './operations.ts';
import { readable, type State } from './queue-state.ts';

/* Each difference that sequences meet: what Go does, and what we do. */

const both = await Both.open();
const shown = new Set<string>();
afterEach(({ task }) => void shown.add(task.name));

const A: NewTask = {
  id: 'a',
  type: 't',
  payload: 'x',
  retry: 25,
  retention: 0,
  timeout: 0,
  header: undefined,
  unique: undefined,
};
const LOCK = `unique:t:9dd4e461268c8034f5c8564e155c67a6`;
const enqueue = (...tasks: NewTask[]): Operation => ({ do: 'enqueue', where: { kind: 'now' }, tasks });
const enqueueLater = (...tasks: NewTask[]): Operation => ({
  do: 'enqueue',
  where: { kind: 'at', seconds: 1 },
  tasks,
});
const enqueueInGroup = (...tasks: NewTask[]): Operation => ({
  do: 'enqueue',
  where: { kind: 'group', group: 'g' },
  tasks,
});
const dequeue: Operation = { do: 'dequeue', count: 1 };
const wait = (ms: number): Operation => ({ do: 'wait', ms });
const aggregate = (made?: NewTask): Operation => ({
  do: 'aggregate',
  group: 'g',
  gracePeriod: 0,
  maxDelay: 0,
  maxSize: 0,
  made,
});

/** What each leaves in Redis after the operations, by the ends of the keys, when nothing is mended. */
async function unmended(operations: readonly Operation[]): Promise<{ go: Contents; ours: Contents }> {
  const { go, ours } = await both.run({ queue: 'queue', operations }, { differences: [] });
  return { go: contents(go.state), ours: contents(ours.state) };
}

type Contents = Readonly<Record<string, unknown>>;

function contents(state: State): Contents {
  const entries = Object.entries(readable(state) as State);
  return Object.fromEntries(
    entries.map(([key, { content }]) => [key.replace(/^asynq:\{Q+\}:/, ''), content]),
  );
}

describe('of new tasks', () => {
  it('an id that is taken leaves no lock', async () => {
    const { go, ours } = await unmended([enqueue(A), enqueue({ ...A, unique: 90 })]);
    expect(go).toHaveProperty([LOCK], ['a']);
    expect(ours).not.toHaveProperty([LOCK]);
  });

  it('a unique task in a group knows its lock', async () => {
    const { go, ours } = await unmended([enqueueInGroup({ ...A, unique: 90 })]);
    expect(go['t:a']).not.toHaveProperty('unique_key');
    expect(ours['t:a']).toHaveProperty('unique_key', expect.stringContaining(LOCK));
  });
});

describe('of tasks that come back', () => {
  it('a task that is given back says since when it waits', async () => {
    const { go, ours } = await unmended([
      enqueue(A),
      dequeue,
      { do: 'settle', from: 0, count: 1, how: { kind: 'requeue' } },
    ]);
    expect(go['pending']).toEqual(['a']);
    expect(go['t:a']).not.toHaveProperty('pending_since');
    expect(ours['t:a']).toHaveProperty('pending_since');
  });

  it('a group that is filled again is announced', async () => {
    const { go, ours } = await unmended([enqueueInGroup(A), aggregate(), wait(121_000), { do: 'reclaim' }]);
    expect(Object.keys(go['g:g'] as object)).toEqual(['a']);
    expect(go).not.toHaveProperty('groups');
    expect(ours).toHaveProperty('groups', ['g']);
  });

  it('tasks that were made one leave no lock', async () => {
    const { go, ours } = await unmended([
      enqueueInGroup({ ...A, unique: 90 }),
      aggregate({ ...A, id: 'made', type: 'batch' }),
    ]);
    expect(go).not.toHaveProperty(['t:a']);
    expect(go).toHaveProperty([LOCK], ['a']);
    expect(ours).not.toHaveProperty([LOCK]);
  });
});

describe('of tasks that were lost', () => {
  it('a result makes no task', async () => {
    const { go, ours } = await unmended([{ do: 'result', id: 'a', data: '42' }]);
    expect(go['t:a']).toEqual({ result: '42' });
    expect(ours).not.toHaveProperty(['t:a']);
  });

  it('an id without a task is dropped at the dequeue', async () => {
    const { go, ours } = await unmended([{ do: 'lose', from: 'pending' }, dequeue]);
    expect(go).toMatchObject({ active: ['lost 1'], lease: { 'lost 1': expect.anything() } });
    expect(go['t:lost 1']).toEqual({ state: 'active' });
    expect(Object.keys(ours)).toEqual(['asynq:queues']);
  });

  it('an id without a task is dropped when it is due', async () => {
    const { go, ours } = await unmended([
      { do: 'lose', from: 'scheduled' },
      enqueueLater(A),
      wait(1_000),
      { do: 'forward' },
    ]);
    expect(go['pending']).toEqual(['a', 'lost 1']);
    expect(go['t:lost 1']).toMatchObject({ state: 'pending' });
    expect(ours['pending']).toEqual(['a']);
    expect(ours).not.toHaveProperty(['t:lost 1']);
  });

  it('a lease without a task ends', async () => {
    const { go, ours } = await unmended([{ do: 'lose', from: 'active' }, wait(61_000), { do: 'recover' }]);
    expect(go).toMatchObject({ active: ['lost 1'], lease: { 'lost 1': expect.anything() } });
    expect(Object.keys(ours)).toEqual(['asynq:queues']);
  });
});

it('each is shown', () => {
  expect([...shown].toSorted()).toEqual(Object.keys(MENDED).toSorted());
});
