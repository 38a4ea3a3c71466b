import stringWidth from 'string-width';

/** Blanks between two columns, as Go's CLI has them. */
const GAP = 2;

/** Between the reports on two things. */
export const SEPARATOR: string = '='.repeat(49);

/**
 * A table as Go's asynq CLI prints it: left-aligned cells, a rule as long as each header, every cell padded (the last one
 * too). Widths are those of a terminal: `画像` takes four columns, a combining accent none.
 */
export function renderTable(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = headers.map((header) => '-'.repeat(displayWidth(header)));
  return renderRows([headers, rule, ...rows]);
}

/** The same without a rule of its own; the first row says how many columns there are. */
export function renderRows(rows: readonly (readonly string[])[]): string {
  const columns = (rows[0] ?? []).map((_, i) => i);
  const lines = rows.map((row) => columns.map((i) => visible(row[i] ?? '')));
  const widths = columns.map((i) => Math.max(...lines.map((line) => displayWidth(line[i] ?? ''))));
  const padded = lines.map((line) => line.map((cell, i) => pad(cell, (widths[i] ?? 0) + GAP)).join(''));
  return `${padded.join('\n')}\n`;
}

/** Columns that `text` takes in a terminal. */
export function displayWidth(text: string): number {
  return stringWidth(text);
}

/** `text` with blanks up to `width` columns; a longer text stays whole. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** Names come from Redis and may hold anything: what would move the cursor or break the line is shown as an escape. */
export function visible(text: string): string {
  return text.replaceAll(/\p{Cc}|\u2028|\u2029|[\u202A-\u202E\u2066-\u2069]/gu, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return SHORT_ESCAPES[char] ?? `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
