import type { Line, Style } from './line.ts';

/** SGR codes, of the 256 colours that every terminal of today has. */
const CODES: Readonly<Record<Style, string>> = {
  title: '1',
  dim: '2',
  chosen: '7',
  tab: '1;4',
  error: '97;48;5;88',
  active: '38;5;33',
  pending: '38;5;34',
  aggregating: '38;5;120',
  scheduled: '38;5;220',
  retry: '38;5;211',
  archived: '38;5;97',
  completed: '38;5;22',
};

/** What stands for colours where the user wants none. */
const COLOURLESS: Readonly<Partial<Record<Style, string>>> = {
  title: '1',
  dim: '2',
  chosen: '7',
  tab: '1;4',
  error: '7',
};

/** The line as a terminal takes it. */
export function paint(spans: Line, isColoured: boolean): string {
  const codes = isColoured ? CODES : COLOURLESS;
  return spans
    .map(({ text, style }) => {
      const code = style === undefined ? undefined : codes[style];
      return code === undefined ? text : `\u001b[${code}m${text}\u001b[m`;
    })
    .join('');
}
