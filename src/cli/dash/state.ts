import type { TaskState } from '../../wire/states.ts';
import { STATES } from '../queue-figures.ts';
import { isCharacter, type Key } from './keys.ts';
import { charactersOf } from './line.ts';

/** A row of a list, counted from 1, and the name it has there; row 0: none. */
export interface Cursor {
  readonly row: number;
  readonly name: string;
}

/** What the queues can be sorted by. */
export type Sort = (typeof SORTS)[number];

/** One task, over the list it was chosen from. */
export interface TaskView {
  readonly id: string;
  /** Lines of it that are above its box. */
  readonly scroll: number;
}

/** One queue and its tasks in one state; of aggregating ones first the groups, then the tasks of one group. */
export interface QueueView {
  readonly queue: string;
  readonly state: TaskState;
  readonly group: string | undefined;
  /** The first is 1. */
  readonly page: number;
  readonly cursor: Cursor;
  readonly task: TaskView | undefined;
}

/**
 * Where the user is. The views lie one over the other: the queues, a queue (and a group), a task; the help over all. Esc
 * and q take the uppermost away.
 */
export interface DashState {
  readonly cursor: Cursor;
  readonly sort: Sort;
  /** A part of the names of the queues that are shown. */
  readonly filter: string;
  /** What is typed goes into the filter. */
  readonly isTyping: boolean;
  readonly queue: QueueView | undefined;
  readonly isHelp: boolean;
}

/** How far the keys reach in the uppermost view. */
export interface Bounds {
  /** Names of the rows of the list; undefined: it was not read yet. */
  readonly rows: readonly string[] | undefined;
  readonly pages: number;
  /** Lines by which the task is longer than its box. */
  readonly scrolls: number;
}

const SORTS = ['name', 'size', 'latency', 'failed'] as const;

const NOWHERE: Cursor = { row: 0, name: '' };

export const START: DashState = {
  cursor: NOWHERE,
  sort: 'name',
  filter: '',
  isTyping: false,
  queue: undefined,
  isHelp: false,
};

/** The state after a key; undefined: the end. Pure. */
export function press(state: DashState, key: Key, bounds: Bounds): DashState | undefined {
  if (key === 'ctrl-c') return undefined;
  if (state.isHelp) return ['escape', 'q', '?', 'enter'].includes(key) ? { ...state, isHelp: false } : state;
  if (state.isTyping) return typed(state, key);
  if (key === '?') return { ...state, isHelp: true };
  const { queue } = state;
  if (queue === undefined) return pressInQueues(state, key, bounds);
  if (queue.task !== undefined) return { ...state, queue: pressInTask(queue, queue.task, key, bounds) };
  return { ...state, queue: pressInQueue(queue, key, bounds) };
}

/** The state within `bounds`, which may have shrunk; a row that has moved takes the cursor with it. Pure. */
export function settle(state: DashState, bounds: Bounds): DashState {
  const { queue } = state;
  if (queue === undefined) return { ...state, cursor: settled(state.cursor, bounds.rows) };
  const { task } = queue;
  return {
    ...state,
    queue: {
      ...queue,
      page: Math.min(queue.page, bounds.pages),
      cursor: settled(queue.cursor, bounds.rows),
      task: task && { ...task, scroll: Math.min(task.scroll, bounds.scrolls) },
    },
  };
}

function pressInQueues(state: DashState, key: Key, { rows = [] }: Bounds): DashState | undefined {
  switch (key) {
    case 'q':
      return undefined;
    case 'escape':
      return state.filter === '' ? undefined : { ...state, filter: '' };
    case 'enter': {
      const queue = rows[state.cursor.row - 1];
      return queue === undefined ? state : { ...state, queue: { queue, ...tasksIn('active') } };
    }
    case '/':
      return { ...state, isTyping: true };
    case 's':
      return { ...state, sort: next(SORTS, state.sort, 1) };
    default:
      return { ...state, cursor: moved(state.cursor, key, rows) };
  }
}

function typed(state: DashState, key: Key): DashState {
  const { filter } = state;
  if (key === 'enter') return { ...state, isTyping: false };
  if (key === 'escape') return { ...state, isTyping: false, filter: '' };
  if (key === 'backspace') return { ...state, filter: charactersOf(filter).slice(0, -1).join('') };
  return isCharacter(key) ? { ...state, filter: filter + key } : state;
}

function pressInQueue(view: QueueView, key: Key, { rows = [], pages }: Bounds): QueueView | undefined {
  switch (key) {
    case 'q':
    case 'escape':
      return view.group === undefined ? undefined : { ...view, ...tasksIn(view.state) };
    case 'enter':
      return opened(view, rows[view.cursor.row - 1]);
    case 'h':
    case 'left':
      return { ...view, ...tasksIn(next(STATES, view.state, -1)) };
    case 'l':
    case 'right':
      return { ...view, ...tasksIn(next(STATES, view.state, 1)) };
    case 'n':
    case 'pagedown':
      return turned(view, Math.min(pages, view.page + 1));
    case 'p':
    case 'pageup':
      return turned(view, Math.max(1, view.page - 1));
    default:
      return { ...view, cursor: moved(view.cursor, key, rows) };
  }
}

function pressInTask(view: QueueView, task: TaskView, key: Key, { scrolls }: Bounds): QueueView {
  const scrolled = (scroll: number) => ({ ...view, task: { ...task, scroll } });
  switch (key) {
    case 'q':
    case 'escape':
    case 'enter':
      return { ...view, task: undefined };
    case 'j':
    case 'down':
      return scrolled(Math.min(scrolls, task.scroll + 1));
    case 'k':
    case 'up':
      return scrolled(Math.max(0, task.scroll - 1));
    default:
      return view;
  }
}

/** The beginning of the list of a state. */
function tasksIn(state: TaskState): Omit<QueueView, 'queue'> {
  return { state, group: undefined, page: 1, cursor: NOWHERE, task: undefined };
}

/** Where the groups are listed the name is that of a group, else of a task. */
function opened(view: QueueView, name: string | undefined): QueueView {
  if (name === undefined) return view;
  return view.state === 'aggregating' && view.group === undefined
    ? { ...view, ...tasksIn(view.state), group: name }
    : { ...view, task: { id: name, scroll: 0 } };
}

function turned(view: QueueView, page: number): QueueView {
  return page === view.page ? view : { ...view, page, cursor: NOWHERE };
}

/** Up and down lead past the ends, by way of none. */
function moved(cursor: Cursor, key: Key, rows: readonly string[]): Cursor {
  const places = rows.length + 1;
  const row = Math.min(cursor.row, rows.length);
  switch (key) {
    case 'j':
    case 'down':
      return at((row + 1) % places, rows);
    case 'k':
    case 'up':
      return at((row + places - 1) % places, rows);
    case 'home':
      return at(Math.min(1, rows.length), rows);
    case 'end':
      return at(rows.length, rows);
    default:
      return cursor;
  }
}

function settled(cursor: Cursor, rows: readonly string[] | undefined): Cursor {
  if (cursor.row === 0 || rows === undefined) return cursor;
  const row = rows.indexOf(cursor.name) + 1;
  return at(row === 0 ? Math.min(cursor.row, rows.length) : row, rows);
}

function at(row: number, rows: readonly string[]): Cursor {
  return { row, name: rows[row - 1] ?? '' };
}

function next<T>(all: readonly T[], one: T, step: number): T {
  return all.at((all.indexOf(one) + step) % all.length) ?? one;
}
