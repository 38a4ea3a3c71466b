import type { TaskInfo } from '../../tasks/task-info.ts';
import { displayWidth } from '../table.ts';
import { agoText, pastText, untilText } from '../time-text.ts';
import { bytesCell } from './figures.ts';
import { beginning, columnsOf, type Line, line, type Size, wrap } from './line.ts';

/** Of a payload or result that is longer the beginning is shown. */
const LONGEST_BYTES = 8_000;
/** Room for these, and for what stands around them. */
const LONGEST_TEXT = 9_000;

/** What is known of a task: not looked yet, looked and not found, or found. */
export type TaskSight = TaskInfo | 'unknown' | 'gone';

/** Part of the screen that the box takes, and columns that it has anyhow. */
const PART = 0.6;
const NARROWEST = 40;
/** Border and margin on both sides. */
const SIDES = 4;
/** Borders above and below, and as many rows outside of them. */
const ENDS = 4;

/** The text in a box over the middle of the screen, and by how many lines it is longer than that. */
export function taskBox(
  id: string,
  sight: TaskSight,
  scroll: number,
  { columns, rows }: Size,
  nowMs: number,
): { readonly box: Line[]; readonly scrolls: number } {
  const width = Math.min(columns, Math.max(NARROWEST, Math.floor(columns * PART)));
  const inner = Math.max(1, width - SIDES);
  const texts = taskLines(id, sight, nowMs).flatMap((text) => wrap(beginning(text, LONGEST_TEXT), inner));
  const height = Math.max(1, Math.min(texts.length, rows - ENDS));
  const scrolls = Math.max(0, texts.length - height);
  const from = Math.min(scroll, scrolls);
  const more = scrolls === 0 ? '' : ` ${from + 1}-${from + height} of ${texts.length}, j k `;
  const rule = '─'.repeat(inner + 2);
  const box = [
    line(`┌${rule}┐`),
    ...texts
      .slice(from, from + height)
      .map((text) => [{ text: '│ ' }, ...columnsOf(line(text), 0, inner), { text: ' │' }]),
    line(`└${more}${'─'.repeat(Math.max(0, inner + 2 - displayWidth(more)))}┘`),
  ];
  return { box, scrolls };
}

function taskLines(id: string, sight: TaskSight, nowMs: number): string[] {
  if (sight === 'unknown') return [`ID: ${id}`, 'Loading...'];
  if (sight === 'gone') return [`Task "${id}" no longer exists`];
  const { lastErr, lastFailedAt, nextProcessAt, completedAt, result } = sight;
  const failure =
    lastErr === '' && lastFailedAt === undefined
      ? []
      : [`Last Failure: ${lastErr}`, `Last Failure Time: ${timeText(lastFailedAt, nowMs)}`];
  return [
    `ID: ${sight.id}`,
    `Type: ${sight.type}`,
    `State: ${sight.state}${sight.isOrphaned ? ' (orphaned)' : ''}`,
    `Queue: ${sight.queue}`,
    ...(sight.group === '' ? [] : [`Group: ${sight.group}`]),
    `Retry: ${sight.retried}/${sight.maxRetry}`,
    ...failure,
    ...(nextProcessAt === undefined ? [] : [`Next Process Time: ${untilText(nextProcessAt, nowMs)}`]),
    ...(completedAt === undefined ? [] : [`Completion Time: ${timeText(completedAt, nowMs)}`]),
    ...Object.entries(sight.headers).map(([name, value]) => `Header ${name}: ${value}`),
    `Payload: ${bytesCell(sight.payload.bytes, LONGEST_BYTES)}`,
    ...(sight.state === 'completed' || result !== undefined
      ? [`Result: ${bytesCell(result, LONGEST_BYTES)}`]
      : []),
  ];
}

function timeText(time: Date | undefined, nowMs: number): string {
  return time === undefined ? '-' : `${pastText(time)} (${agoText(time, nowMs)})`;
}
