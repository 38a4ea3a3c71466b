import { displayWidth, pad, visible } from '../table.ts';
import { LONGEST_CELL } from './figures.ts';
import { beginning, type Line, shorten } from './line.ts';

export interface Column<T> {
  readonly header: string;
  readonly cell: (row: T, nowMs: number) => string;
  /** May be shortened where there is no room for all of it. */
  readonly isElastic?: boolean;
}

export interface TableOptions {
  readonly width: number;
  readonly nowMs: number;
  /** The chosen row, counted from 1; 0: none. */
  readonly chosen: number;
}

const GAP = 2;
/** An elastic column that is narrower says nothing. */
const NARROWEST = 8;

/** Header and rows no wider than the screen: elastic cells are shortened first, then columns are left out from the right. */
export function tableLines<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  { width, nowMs, chosen }: TableOptions,
): Line[] {
  const cells = [
    columns.map(({ header }) => header),
    ...rows.map((row) => columns.map(({ cell }) => visible(beginning(cell(row, nowMs), LONGEST_CELL)))),
  ];
  const natural = columns.map((_, i) => Math.max(...cells.map((row) => displayWidth(row[i] ?? ''))));
  const least = natural.map((most, i) => (columns[i]?.isElastic ? Math.min(most, NARROWEST) : most));
  const widths = distribute(natural, least, width);
  return cells.map((row, i) => {
    const text = widths.map((room, j) => pad(shorten(row[j] ?? '', room), room)).join(' '.repeat(GAP));
    const style = i === 0 ? 'title' : i === chosen ? 'chosen' : undefined;
    return [{ text: text + ' '.repeat(Math.max(0, width - displayWidth(text))), style }];
  });
}

/** Widths of the columns that have room: each its least, and the rest to whoever needs it, the narrowest first. */
function distribute(natural: readonly number[], least: readonly number[], width: number): number[] {
  const shown: number[] = [];
  let left = width;
  for (const room of least) {
    left -= room + (shown.length === 0 ? 0 : GAP);
    if (left < 0 && shown.length > 0) {
      left += room + GAP;
      break;
    }
    shown.push(room);
  }
  const needs = shown
    .map((room, i) => ({ i, need: (natural[i] ?? room) - room }))
    .toSorted((a, b) => a.need - b.need);
  for (const [done, { i, need }] of needs.entries()) {
    const more = Math.max(0, Math.min(need, Math.floor(left / (needs.length - done))));
    shown[i] = (shown[i] ?? 0) + more;
    left -= more;
  }
  return shown;
}
