import type { QueueInfo } from '../../tasks/queue-info.ts';
import { STATES } from '../queue-figures.ts';
import { displayWidth, pad, visible } from '../table.ts';
import { type Column, tableLines } from './columns.ts';
import { bar, failedPart, latencyText, memoryText, stateTitle } from './figures.ts';
import { type Line, line, type Size, shorten } from './line.ts';
import type { DashState, Sort } from './state.ts';

const COLUMNS: readonly Column<QueueInfo>[] = [
  { header: 'Queue', cell: ({ queue }) => queue, isElastic: true },
  { header: 'State', cell: ({ paused }) => (paused ? 'PAUSED' : 'RUN') },
  { header: 'Size', cell: ({ size }) => String(size) },
  { header: 'Latency', cell: latencyText },
  { header: 'MemoryUsage', cell: memoryText },
  { header: 'Processed', cell: ({ processed }) => String(processed) },
  { header: 'Failed', cell: ({ failed }) => String(failed) },
  { header: 'ErrorRate', cell: failedPart },
];

/** What comes first is most; by name the alphabet decides, which they come in. */
const WEIGHT: Readonly<Record<Sort, (info: QueueInfo) => number>> = {
  name: () => 0,
  size: ({ size }) => size,
  latency: ({ latencySeconds }) => latencySeconds ?? -1,
  failed: ({ failed }) => failed,
};

/** Title, header and footer. */
const TABLE_FRAME = 3;
/** The same, with the legend and two blank lines. */
const CHART_FRAME = 6;
/** There is a chart where this many rows are. */
const LEAST_ROWS_OF_CHART = 16;
const WIDEST_NAME = 20;

/** The queues that pass the filter, in their order. */
export function shownQueues(queues: readonly QueueInfo[], { filter, sort }: DashState): QueueInfo[] {
  const wanted = filter.toLowerCase();
  return queues
    .filter(({ queue }) => queue.toLowerCase().includes(wanted))
    .toSorted((a, b) => WEIGHT[sort](b) - WEIGHT[sort](a));
}

/** All queues: a chart where there is room, and a table; of many those around the cursor. */
export function queuesView(
  all: readonly QueueInfo[] | undefined,
  state: DashState,
  { columns: width, rows }: Size,
  nowMs: number,
): Line[] {
  if (all === undefined) return [title(state, ''), line('Loading...', 'dim')];
  const queues = shownQueues(all, state);
  if (queues.length === 0) {
    const text = all.length === 0 ? 'No queues' : `No queue has "${state.filter}" in its name`;
    return [title(state, ''), line(text)];
  }
  const hasChart = rows >= LEAST_ROWS_OF_CHART;
  const room = Math.max(1, hasChart ? Math.floor((rows - CHART_FRAME) / 2) : rows - TABLE_FRAME);
  const skipped = Math.floor(Math.max(0, state.cursor.row - 1) / room) * room;
  const some = queues.slice(skipped, skipped + room);
  const range =
    some.length < queues.length ? ` ${skipped + 1}-${skipped + some.length} out of ${queues.length}` : '';
  const most = Math.max(1, ...queues.map(({ size }) => size));
  return [
    title(state, range),
    ...(hasChart ? [[], ...chart(some, most, width), legend(), []] : []),
    ...tableLines(COLUMNS, some, { width, nowMs, chosen: state.cursor.row - skipped }),
  ];
}

function title({ sort, filter }: DashState, range: string): Line {
  const order = sort === 'name' ? '' : ` by ${sort}`;
  return [
    { text: '=== Queues ===', style: 'title' },
    { text: `${range}${order}${filter === '' ? '' : ` /${visible(filter)}`}`, style: 'dim' },
  ];
}

/** `most` tasks fill the width. */
function chart(queues: readonly QueueInfo[], most: number, width: number): Line[] {
  const names = queues.map(({ queue }) => shorten(visible(queue), WIDEST_NAME));
  const nameWidth = Math.max(...names.map(displayWidth));
  const room = Math.max(1, width - nameWidth - String(most).length - 2);
  return queues.map((info, i) => [
    { text: `${pad(names[i] ?? '', nameWidth)} ` },
    ...bar(info, most, room),
    { text: ` ${info.size}` },
  ]);
}

function legend(): Line {
  return STATES.flatMap((state) => [{ text: '█', style: state }, { text: ` ${stateTitle(state)} ` }]);
}
