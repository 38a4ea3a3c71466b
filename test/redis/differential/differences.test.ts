import { afterEach, describe, expect, it } from 'vitest';
import { Both } from './both.ts';
import { MENDED } from './differences.ts';
import type { Operation } from './operations.ts';
import {
  A,
  aggregate,
  type Contents,
  dequeue,
  enqueue,
  enqueueInGroup,
  enqueueLater,
  LOCK,
  unmended,
  wait,
} from './showing.ts';

/* Each difference that sequences meet: what Go does, and what we do. */

const both = await Both.open();
const shown = new Set<string>();
afterEach(({ task }) => void shown.add(task.name));

async function left(operations: readonly Operation[]): Promise<{ go: Contents; ours: Contents }> {
  const { go, ours } = await unmended(both, operations);
  return { go: go.left, ours: ours.left };
}

describe('of new tasks', () => {
  it('an id that is taken leaves no lock', async () => {
    const { go, ours } = await left([enqueue(A), enqueue({ ...A, unique: 90 })]);
    expect(go).toHaveProperty([LOCK], ['a']);
    expect(ours).not.toHaveProperty([LOCK]);
  });

  it('a unique task in a group knows its lock', async () => {
    const { go, ours } = await left([enqueueInGroup({ ...A, unique: 90 })]);
    expect(go['t:a']).not.toHaveProperty('unique_key');
    expect(ours['t:a']).toHaveProperty('unique_key', expect.stringContaining(LOCK));
  });
});

describe('of tasks that come back', () => {
  it('a task that is given back says since when it waits', async () => {
    const { go, ours } = await left([
      enqueue(A),
      dequeue,
      { do: 'settle', from: 0, count: 1, how: { kind: 'requeue' } },
    ]);
    expect(go['pending']).toEqual(['a']);
    expect(go['t:a']).not.toHaveProperty('pending_since');
    expect(ours['t:a']).toHaveProperty('pending_since');
  });

  it('a group that gets its tasks back is announced', async () => {
    const { go, ours } = await left([enqueueInGroup(A), aggregate(), wait(121_000), { do: 'reclaim' }]);
    expect(Object.keys(go['g:g'] as object)).toEqual(['a']);
    expect(go).not.toHaveProperty('groups');
    expect(ours).toHaveProperty('groups', ['g']);
  });

  it('tasks that were made one leave no lock', async () => {
    const { go, ours } = await left([
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
    const { go, ours } = await left([{ do: 'result', id: 'a', data: '42' }]);
    expect(go['t:a']).toEqual({ result: '42' });
    expect(ours).not.toHaveProperty(['t:a']);
  });

  it('an id without a task is dropped at the dequeue', async () => {
    const { go, ours } = await left([{ do: 'lose', from: 'pending' }, dequeue]);
    expect(go).toMatchObject({ active: ['lost 1'], lease: { 'lost 1': expect.anything() } });
    expect(go['t:lost 1']).toEqual({ state: 'active' });
    expect(Object.keys(ours)).toEqual(['asynq:queues']);
  });

  it('an id without a task is dropped when it is due', async () => {
    const { go, ours } = await left([
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
    const { go, ours } = await left([{ do: 'lose', from: 'active' }, wait(61_000), { do: 'recover' }]);
    expect(go).toMatchObject({ active: ['lost 1'], lease: { 'lost 1': expect.anything() } });
    expect(Object.keys(ours)).toEqual(['asynq:queues']);
  });
});

it('each is shown', () => {
  expect([...shown].toSorted()).toEqual(Object.keys(MENDED).toSorted());
});
