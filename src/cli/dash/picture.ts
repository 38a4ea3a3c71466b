import { pad } from '../table.ts';
import type { DashData } from './data.ts';
import { helpView } from './help-view.ts';
import { columnsOf, type Line, line, lineWidth, overlay, type Size, wrap } from './line.ts';
import { listOf, pageSizeOf, queueView } from './queue-view.ts';
import { queuesView, shownQueues } from './queues-view.ts';
import type { Bounds, DashState, QueueView } from './state.ts';
import { type TaskSight, taskBox } from './task-box.ts';

/** What is drawn, and how. */
export interface Picture {
  readonly state: DashState;
  readonly data: DashData;
  readonly size: Size;
  readonly nowMs: number;
  /** What went wrong with the last look; the footer says it. */
  readonly failure: string | undefined;
}

/** A longer message is cut. */
const MOST_FAILURE_LINES = 3;

/** The screen, as many lines of as many columns as it has. Pure. */
export function draw(picture: Picture): Line[] {
  const { columns, rows } = picture.size;
  const body = bodyOf(picture);
  const foot = footer(picture).slice(-rows);
  const lines = Array.from({ length: rows - foot.length }, (_, row) =>
    columnsOf(body[row] ?? [], 0, columns),
  );
  return [...withTask(lines, picture), ...foot.map((one) => columnsOf(one, 0, columns))];
}

/** How far the keys reach in the uppermost view. Pure. */
export function boundsOf({ state, data, size, nowMs }: Omit<Picture, 'failure'>): Bounds {
  const { queue } = state;
  if (queue === undefined) {
    const rows = data.queues && shownQueues(data.queues, state).map((info) => info.queue);
    return { rows, pages: 1, scrolls: 0 };
  }
  const pageSize = pageSizeOf(queue, size.rows);
  const { names, total } = listOf(queue, data, pageSize);
  return {
    rows: names,
    // Where nobody knows how many there are, the page that is shown is the last one.
    pages: total === undefined ? queue.page : Math.max(1, Math.ceil(total / pageSize)),
    scrolls: boxOf(queue, data, size, nowMs)?.scrolls ?? 0,
  };
}

function bodyOf({ state, data, size, nowMs }: Picture): Line[] {
  if (state.isHelp) return helpView();
  if (state.queue === undefined) return queuesView(data.queues, state, size, nowMs);
  return queueView(state.queue, data, size, nowMs);
}

function withTask(lines: Line[], { state, data, size, nowMs }: Picture): Line[] {
  const { queue, isHelp } = state;
  const box = isHelp || queue === undefined ? undefined : boxOf(queue, data, size, nowMs)?.box;
  if (box === undefined) return lines;
  const top = Math.max(0, Math.floor((lines.length - box.length) / 2));
  const left = Math.max(0, Math.floor((size.columns - lineWidth(box[0] ?? [])) / 2));
  return overlay(lines, box, top, left).map((one) => columnsOf(one, 0, size.columns));
}

function boxOf(
  { queue, task }: QueueView,
  data: DashData,
  size: Size,
  nowMs: number,
): ReturnType<typeof taskBox> | undefined {
  if (task === undefined) return undefined;
  const isRead = data.task?.queue === queue && data.task.id === task.id;
  const sight: TaskSight = isRead ? (data.task?.info ?? 'gone') : 'unknown';
  return taskBox(task.id, sight, task.scroll, size, nowMs);
}

function footer({ state, failure, size }: Picture): Line[] {
  if (state.isTyping) return [[{ text: '/' }, ...line(state.filter), { text: ' ', style: 'chosen' }]];
  if (failure === undefined) return [line('<?>: Help    <Ctrl+C>: Exit ', 'dim')];
  const room = Math.max(1, size.columns - 2);
  return wrap(failure, room)
    .slice(0, MOST_FAILURE_LINES)
    .map((text) => [{ text: pad(` ${text}`, size.columns), style: 'error' }]);
}
