import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Key } from '../../../../src/cli/dash/keys.ts';
import { type Bounds, type DashState, press, START, settle } from '../../../../src/cli/dash/state.ts';
import { anyText } from '../../../support/any-text.ts';
import { inQueue } from './sights.ts';

const KEYS = [
  'j',
  'k',
  'up',
  'down',
  'home',
  'end',
  'h',
  'l',
  'left',
  'right',
  'n',
  'p',
  'pageup',
  'pagedown',
];
const key = fc.oneof(
  fc.constantFrom(...KEYS, 'enter', 'escape', 'q', '?', 's', '/', 'backspace', 'ctrl-l', 'ctrl-c', '日', 'x'),
  anyText,
);
const bounds = fc.record({
  rows: fc.uniqueArray(fc.constantFrom('a', 'b', 'imágenes', '日本', '__proto__')),
  pages: fc.integer({ min: 1, max: 4 }),
  scrolls: fc.integer({ min: 0, max: 3 }),
});

/** The state after keys, within the bounds of the list; undefined: the end. */
function after(state: DashState, keys: readonly Key[], within: Partial<Bounds> = {}): DashState | undefined {
  const all = { rows: [], pages: 1, scrolls: 0, ...within };
  return keys.reduce<DashState | undefined>((now, one) => now && press(now, one, all), state);
}

it('stays in range whatever is hit and however the lists change', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, bounds)), (steps) => {
      let state: DashState = START;
      for (const [one, within] of steps) {
        state = settle(state, within);
        const { row, name } = (state.queue ?? state).cursor;
        expect(['', ...within.rows][row]).toBe(name);
        expect(within.pages).toBeGreaterThanOrEqual(state.queue?.page ?? 1);
        expect(within.scrolls).toBeGreaterThanOrEqual(state.queue?.task?.scroll ?? 0);
        const next = press(state, one, within);
        expect(next !== undefined || ['ctrl-c', 'q', 'escape'].includes(one)).toBe(true);
        if (next === undefined) return;
        expect(listOf(next) === listOf(state) ? settle(next, within) : next).toEqual(next);
        state = next;
      }
    }),
  );
});

/** What list the cursor is in. */
function listOf({ queue }: DashState): string {
  return queue === undefined ? '' : JSON.stringify([queue.queue, queue.state, queue.group ?? null]);
}

describe('up and down', () => {
  const rows = ['a', 'b'];

  it.each([
    [['j'], 1],
    [['down', 'down'], 2],
    [['j', 'j', 'j'], 0],
    [['k'], 2],
    [['up', 'up', 'up'], 0],
    [['end'], 2],
    [['end', 'home'], 1],
  ])('%j lead to row %i', (keys, row) => {
    expect(after(START, keys, { rows })?.cursor.row).toBe(row);
    expect(after(inQueue({ queue: 'q' }), keys, { rows })?.queue?.cursor.row).toBe(row);
  });

  it('stay nowhere in an empty list', () => {
    expect(after(START, ['j', 'k', 'end', 'home', 'enter'])).toEqual(START);
  });
});

describe('the cursor', () => {
  const chosen = { ...START, cursor: { row: 2, name: 'b' } };

  it.each([
    ['follows its row', ['new', 'a', 'b'], { row: 3, name: 'b' }],
    ['takes the row that came into its place', ['a', 'c', 'd'], { row: 2, name: 'c' }],
    ['goes up where the list got shorter', ['a'], { row: 1, name: 'a' }],
    ['is nowhere in a list that got empty', [], { row: 0, name: '' }],
    ['waits for a list that is still to be read', undefined, { row: 2, name: 'b' }],
  ])('%s', (_, rows, cursor) => {
    expect(settle(chosen, { rows, pages: 1, scrolls: 0 }).cursor).toEqual(cursor);
  });
});

describe('the views', () => {
  it('lie one over the other', () => {
    const queue = after(START, ['j', 'enter'], { rows: ['emails'] });
    expect(queue).toEqual({ ...START, cursor: { row: 1, name: 'emails' }, ...inQueueOf('emails') });
    const open = queue && after(queue, ['j', 'enter'], { rows: ['id-1'] });
    expect(open?.queue?.task).toEqual({ id: 'id-1', scroll: 0 });
    const backs = [1, 2].map((times) => open && after(open, Array<Key>(times).fill('q')));
    expect(backs[0]?.queue).toMatchObject({ queue: 'emails', task: undefined });
    expect(backs[1]).toMatchObject({ queue: undefined, cursor: { row: 1 } });
    expect(open && after(open, ['q', 'q', 'q'])).toBeUndefined();
  });

  it('of aggregating tasks begin with the groups', () => {
    const groups = inQueue({ queue: 'q', state: 'aggregating' });
    const tasks = after(groups, ['j', 'enter'], { rows: ['g'] });
    expect(tasks?.queue).toMatchObject({ group: 'g', page: 1, cursor: { row: 0 }, task: undefined });
    expect(tasks && after(tasks, ['j', 'enter'], { rows: ['id'] })?.queue?.task?.id).toBe('id');
    expect(tasks && after(tasks, ['escape'])).toEqual(groups);
  });

  it('are all under the help', () => {
    const help = after(START, ['?', 'j', 'n'], { rows: ['a'] });
    expect(help).toEqual({ ...START, isHelp: true });
    expect(help && after(help, ['q'])).toEqual(START);
  });
});

it('goes around the states, and back to their first page', () => {
  const view = inQueue({ queue: 'q', state: 'active', page: 3, cursor: { row: 1, name: 'a' } });
  const states = (keys: Key[]) => after(view, keys)?.queue;
  expect(states(['l'])).toMatchObject({ state: 'pending', page: 1, cursor: { row: 0 } });
  expect(states(['left'])).toMatchObject({ state: 'completed' });
  expect(states(Array<Key>(7).fill('right'))).toMatchObject({ state: 'active' });
});

it('turns pages as far as there are any', () => {
  const pageAfter = (...keys: Key[]) => after(inQueue({ queue: 'q' }), keys, { pages: 2 })?.queue?.page;
  expect([pageAfter('n'), pageAfter('n', 'pagedown'), pageAfter('n', 'p', 'p')]).toEqual([2, 2, 1]);
  expect(settle(inQueue({ queue: 'q', page: 9 }), { rows: [], pages: 4, scrolls: 0 }).queue?.page).toBe(4);
});

it('types a filter, keeps it with Enter and drops it with Esc', () => {
  const typed = after(START, ['/', 'q', '日', 'j', 'backspace', 'up']);
  expect(typed).toEqual({ ...START, filter: 'q日', isTyping: true });
  const kept = typed && after(typed, ['enter', 'j'], { rows: ['q日x'] });
  expect(kept).toMatchObject({ filter: 'q日', isTyping: false, cursor: { row: 1 } });
  expect(kept && after(kept, ['escape'])).toMatchObject({ filter: '' });
  expect(typed && after(typed, ['escape'])).toEqual(START);
});

it('goes through the orders', () => {
  const orders = [0, 1, 2, 3, 4].map((times) => after(START, Array<Key>(times).fill('s'))?.sort);
  expect(orders).toEqual(['name', 'size', 'latency', 'failed', 'name']);
});

it('scrolls a task as far as it is long', () => {
  const open = inQueue({ queue: 'q', task: { id: 'a', scroll: 0 } });
  const scrollAfter = (...keys: Key[]) => after(open, keys, { scrolls: 2 })?.queue?.task?.scroll;
  expect([scrollAfter('k'), scrollAfter('j', 'j', 'j'), scrollAfter('down', 'up')]).toEqual([0, 2, 0]);
});

function inQueueOf(queue: string): Pick<DashState, 'queue'> {
  return { queue: inQueue({ queue }).queue };
}
