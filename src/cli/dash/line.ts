import type { TaskState } from '../../wire/states.ts';
import { displayWidth, visible } from '../table.ts';

/** How text looks; the states of tasks have colours. */
export type Style = 'title' | 'dim' | 'chosen' | 'tab' | 'error' | TaskState;

/** Text without control characters, in one style. */
export interface Span {
  readonly text: string;
  readonly style?: Style | undefined;
}

/** One row of the screen. */
export type Line = readonly Span[];

/** Of the screen. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** What a user sees as one character each. */
export function charactersOf(text: string): string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

/** A line of one span; what would move the cursor becomes visible. */
export function line(text: string, style?: Style): Line {
  return [{ text: visible(text), style }];
}

/** Text of which there may be megabytes, without what nobody will see: measuring it takes time. */
export function beginning(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}

/** Columns that a line takes. */
export function lineWidth(spans: Line): number {
  return spans.reduce((width, { text }) => width + displayWidth(text), 0);
}

/** Columns `from` up to `to` of a line, which ends in blanks if it is shorter. Half a wide character is a blank. */
export function columnsOf(spans: Line, from: number, to: number): Line {
  const kept: Span[] = [];
  let at = 0;
  for (const { text, style } of spans) {
    let part = '';
    for (const character of charactersOf(text)) {
      const next = at + displayWidth(character);
      const seen = Math.min(next, to) - Math.max(at, from);
      if (at >= from && next <= to) part += character;
      else if (seen > 0) part += ' '.repeat(seen);
      at = next;
    }
    if (part !== '') kept.push({ text: part, style });
    if (at >= to) break;
  }
  const missing = to - Math.max(at, from);
  return missing > 0 ? [...kept, { text: ' '.repeat(missing) }] : kept;
}

/** `text` in at most `width` columns; a longer one ends in an ellipsis. */
export function shorten(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width < 1) return '';
  const cut = columnsOf([{ text }], 0, width - 1).map((span) => span.text);
  return `${cut.join('').trimEnd()}…`;
}

/** `text` in pieces of at most `width` columns (or one character). */
export function wrap(text: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  let taken = 0;
  for (const character of charactersOf(visible(text))) {
    const more = displayWidth(character);
    if (piece !== '' && taken + more > width) {
      pieces.push(piece);
      piece = '';
      taken = 0;
    }
    piece += character;
    taken += more;
  }
  return [...pieces, piece];
}

/** `lines` with `box` laid over them, its left upper corner in row `top` and column `left`. */
export function overlay(lines: readonly Line[], box: readonly Line[], top: number, left: number): Line[] {
  return lines.map((under, row) => {
    const over = box[row - top];
    if (over === undefined) return under;
    const right = left + lineWidth(over);
    const end = Math.max(right, lineWidth(under));
    return [...columnsOf(under, 0, left), ...over, ...columnsOf(under, right, end)];
  });
}
