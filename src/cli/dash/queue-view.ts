import type { GroupInfo, QueueInfo } from '../../tasks/queue-info.ts';
import type { TaskInfo } from '../../tasks/task-info.ts';
import { STATES } from '../queue-figures.ts';
import { type Column, tableLines } from './columns.ts';
import { type DashData, placeOf } from './data.ts';
import { latencyText, memoryText, stateTitle } from './figures.ts';
import { type Line, line, lineWidth, type Size } from './line.ts';
import type { QueueView } from './state.ts';
import { TASK_COLUMNS } from './task-columns.ts';

/** With fewer rows the summary is one line. */
const LEAST_ROWS_OF_SUMMARY = 18;
/** All lines but those of the list. */
const FRAME = 12;
const COMPACT_FRAME = 5;

const GROUP_COLUMNS: readonly Column<GroupInfo>[] = [
  { header: 'Name', cell: ({ group }) => group, isElastic: true },
  { header: 'Size', cell: ({ size }) => String(size) },
];

/** Rows of a page; the list of groups has a line more above it. */
export function pageSizeOf(view: QueueView, rows: number): number {
  const frame = rows < LEAST_ROWS_OF_SUMMARY ? COMPACT_FRAME : FRAME;
  return Math.max(1, rows - frame - (isOfGroups(view) ? 1 : 0));
}

/** The rows of the page with their names, and how many there are on all; undefined: not read yet. */
export function listOf(
  view: QueueView,
  data: DashData,
  pageSize: number,
): {
  readonly total: number | undefined;
  readonly tasks: readonly TaskInfo[] | undefined;
  readonly groups: readonly GroupInfo[] | undefined;
  readonly names: readonly string[] | undefined;
} {
  const { queue, state, group, page } = view;
  const info = infoOf(queue, data);
  const groups = data.groups?.queue === queue ? data.groups.list : undefined;
  if (isOfGroups(view)) {
    const some = groups?.slice((page - 1) * pageSize, page * pageSize);
    return {
      total: groups?.length,
      tasks: undefined,
      groups: some,
      names: some?.map((one) => one.group),
    };
  }
  const tasks = data.tasks?.place === placeOf(view, pageSize) ? data.tasks.list : undefined;
  const total = group === undefined ? info?.[state] : groups?.find((one) => one.group === group)?.size;
  return { total, tasks, groups: undefined, names: tasks?.map(({ id }) => id) };
}

/** One queue: its figures, the states, and the tasks of one of them. */
export function queueView(
  view: QueueView,
  data: DashData,
  { columns: width, rows }: Size,
  nowMs: number,
): Line[] {
  const info = infoOf(view.queue, data);
  const isCompact = rows < LEAST_ROWS_OF_SUMMARY;
  const pageSize = pageSizeOf(view, rows);
  const list = listOf(view, data, pageSize);
  const options = { width, nowMs, chosen: view.cursor.row };
  const body =
    list.groups === undefined
      ? list.tasks && tableLines(TASK_COLUMNS[view.state], list.tasks, options)
      : tableLines(GROUP_COLUMNS, list.groups, options);
  const head = isCompact
    ? [line(shortSummary(view.queue, info), 'title')]
    : [...summary(view.queue, info), [], line('=== Tasks ===', 'title')];
  return [
    ...head,
    tabs(view, info, width),
    ...(isOfGroups(view) ? [line('<<< Select group >>>', 'dim')] : []),
    ...(isCompact ? [] : [[]]),
    ...(body === undefined
      ? [line('Loading...', 'dim')]
      : [...body, line(range(view.page, pageSize, list.names?.length ?? 0, list.total), 'dim')]),
  ];
}

/** Until the queue is read, as it was among all queues. */
function infoOf(name: string, { info, queues }: DashData): QueueInfo | undefined {
  return info?.queue === name ? info : queues?.find(({ queue }) => queue === name);
}

function isOfGroups({ state, group }: QueueView): boolean {
  return state === 'aggregating' && group === undefined;
}

function summary(queue: string, info: QueueInfo | undefined): Line[] {
  return [
    line('=== Queue Summary ===', 'title'),
    line(`Name      ${queue}`),
    line(`Size      ${info?.size ?? '-'}`),
    line(`Latency   ${info === undefined ? '-' : latencyText(info)}`),
    line(`MemUsage  ${info === undefined ? '-' : memoryText(info)}`),
  ];
}

function shortSummary(queue: string, info: QueueInfo | undefined): string {
  return info === undefined
    ? queue
    : `${queue}  ${info.size} tasks  ${latencyText(info)}  ${memoryText(info)}`;
}

/** As far apart as there is room; where there is none at all, those around the chosen one. */
function tabs(view: QueueView, info: QueueInfo | undefined, width: number): Line {
  const labels = STATES.map((state) => `${stateTitle(state)}:${info?.[state] ?? '-'}`);
  const spaced = [4, 2, 1].map((gap) => tabLine(labels, STATES.indexOf(view.state), gap));
  const fitting = spaced.find((one) => lineWidth(one) <= width);
  if (fitting !== undefined) return fitting;
  let [first, chosen] = [0, STATES.indexOf(view.state)];
  while (first < chosen && lineWidth(tabLine(labels.slice(first, chosen + 1), 0, 1)) > width) first++;
  chosen -= first;
  return tabLine(labels.slice(first), chosen, 1);
}

function tabLine(labels: readonly string[], chosen: number, gap: number): Line {
  return labels.flatMap((text, i) => [
    ...(i === 0 ? [] : [{ text: ' '.repeat(gap) }]),
    { text, style: i === chosen ? ('tab' as const) : undefined },
  ]);
}

function range(page: number, pageSize: number, shown: number, total: number | undefined): string {
  if (shown === 0) return 'None';
  const first = (page - 1) * pageSize + 1;
  const text = `Showing ${first}-${first + shown - 1} out of ${total ?? '?'}`;
  return (total ?? 0) > pageSize ? `${text}  n=NextPage  p=PrevPage` : text;
}
