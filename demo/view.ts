import { styleText } from 'node:util';
import { displayWidth, pad } from '../src/cli/table.ts';

/** What the table shows of one queue; undefined: not known yet. */
export interface Row {
  readonly queue: string;
  readonly keySlot: number | undefined;
  readonly node: string | undefined;
  readonly pending: number | undefined;
  readonly active: number | undefined;
  readonly latencySeconds: number | undefined;
  readonly desired: number;
  readonly ready: number;
  /** Backlogs of the past, one a second, oldest first. */
  readonly history: readonly number[];
}

export interface Style {
  readonly color: boolean;
  /** Of the terminal: what does not fit is left out, since a line that wraps cannot be redrawn in place. */
  readonly columns: number;
}

export interface Picture {
  readonly rows: readonly Row[];
  readonly phase: string;
  readonly seconds: number;
  readonly enqueued: number;
  readonly processed: number;
}

type Paint = (style: 'bold' | 'dim' | 'cyan' | 'green', text: string) => string;

const UNKNOWN = '-';
const GAP = '  ';
const INDENT = '  ';
const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
/** Backlogs shown, one a column. */
const HISTORY_LENGTH = 30;

interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** Columns to keep free, so that the table stands still. */
  readonly least: number;
  /** The higher, the sooner it is left out. */
  readonly spare: number;
  readonly cell: (row: Row, paint: Paint) => string;
}

const COLUMNS: readonly Column[] = [
  { title: 'QUEUE', align: 'left', least: 14, spare: 0, cell: ({ queue }, paint) => paint('bold', queue) },
  { title: 'SLOT', align: 'right', least: 5, spare: 2, cell: ({ keySlot }) => String(keySlot ?? UNKNOWN) },
  { title: 'NODE', align: 'left', least: 14, spare: 3, cell: ({ node }) => node ?? UNKNOWN },
  { title: 'PENDING', align: 'right', least: 7, spare: 0, cell: ({ pending }) => String(pending ?? UNKNOWN) },
  { title: 'ACTIVE', align: 'right', least: 6, spare: 1, cell: ({ active }) => String(active ?? UNKNOWN) },
  {
    title: 'LATENCY',
    align: 'right',
    least: 7,
    spare: 1,
    cell: ({ latencySeconds }) => duration(latencySeconds),
  },
  { title: 'DESIRED/READY', align: 'left', least: 13, spare: 0, cell: replicas },
  {
    title: 'BACKLOG',
    align: 'left',
    least: HISTORY_LENGTH,
    spare: 4,
    cell: ({ history }, paint) =>
      paint('cyan', sparkline(history.slice(-HISTORY_LENGTH), Math.max(...history))),
  },
];

/** The live table, as lines that keep their places from one picture to the next. */
export function tableLines(picture: Picture, style: Style): string[] {
  const paint: Paint = (format, text) =>
    style.color ? styleText(format, text, { validateStream: false }) : text;
  const columns = fitting(COLUMNS, style.columns).map((column) => {
    const cells = picture.rows.map((row) => column.cell(row, paint));
    const width = Math.max(column.least, column.title.length, ...cells.map(displayWidth));
    return [paint('dim', column.title), ...cells].map((text) => aligned(text, width, column.align));
  });
  const lines = [undefined, ...picture.rows].map(
    (_, i) => INDENT + columns.map((column) => column[i]).join(GAP),
  );
  const { phase, seconds, processed, enqueued } = picture;
  const clock = `${seconds.toFixed(0).padStart(3)} s`;
  const tail = `${processed} of ${enqueued} tasks processed`;
  return [...lines, '', cut(`${INDENT}${clock}   ${tail}   ${phase}`, style.columns)];
}

/** Without those that can best be spared, until all fit side by side. */
function fitting(columns: readonly Column[], available: number): readonly Column[] {
  const width = columns.reduce(
    (sum, { title, least }) => sum + GAP.length + Math.max(title.length, least),
    0,
  );
  const most = Math.max(...columns.map(({ spare }) => spare));
  if (width <= available || most === 0) return columns;
  return fitting(
    columns.filter(({ spare }) => spare < most),
    available,
  );
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** What stands above the plain lines. */
export const PLAIN_HEAD = 'Each line: the tasks of each queue, and its workers, wanted/ready';

/** One line for logs and pipes. */
export function plainLine({ rows, seconds: at, processed, enqueued }: Picture): string {
  const queues = rows.map(
    ({ queue, pending, active, desired, ready }) =>
      `${queue} ${pending ?? UNKNOWN} pending ${active ?? UNKNOWN} active ${desired}/${ready} workers`,
  );
  return `${at.toFixed(0).padStart(3)} s  ${queues.join(', ')}; ${processed} of ${enqueued} processed`;
}

/** `3/2 ■■□`: wanted and ready, a square for each worker, filled when it is ready. */
function replicas({ desired, ready }: Row, paint: Paint): string {
  const squares = '■'.repeat(ready) + '□'.repeat(Math.max(0, desired - ready));
  return `${desired}/${ready} ${paint('green', squares)}`.trimEnd();
}

/** The shape of a backlog over time; its highest point is a full block, nothing at all is a blank. */
function sparkline(history: readonly number[], highest: number): string {
  return history
    .map((value) => (value === 0 ? ' ' : BLOCKS[Math.ceil((value / highest) * BLOCKS.length) - 1]))
    .join('');
}

function duration(seconds: number | undefined): string {
  return seconds === undefined ? UNKNOWN : `${seconds.toFixed(1)} s`;
}

function aligned(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  return align === 'left' ? pad(text, width) : ' '.repeat(Math.max(0, width - displayWidth(text))) + text;
}
