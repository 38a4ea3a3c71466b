import type { TaskInfo } from '../tasks/task-info.ts';
import type { TaskState } from '../wire/states.ts';
import { bytesText } from './bytes-text.ts';
import { renderTable } from './table.ts';
import { pastText, untilText } from './time-text.ts';

interface Column {
  readonly header: string;
  readonly cell: (task: TaskInfo, nowMs: number) => string;
}

const ID: Column = { header: 'ID', cell: ({ id }) => id };
const TYPE: Column = { header: 'Type', cell: ({ type }) => type };
const PAYLOAD: Column = { header: 'Payload', cell: ({ payload }) => bytesText(payload.bytes) };
const LAST_ERROR: Column = { header: 'Last Error', cell: ({ lastErr }) => lastErr };
const LAST_FAILED: Column = { header: 'Last Failed', cell: ({ lastFailedAt }) => pastText(lastFailedAt) };

const until = (header: string): Column => ({
  header,
  cell: ({ nextProcessAt }, nowMs) => untilText(nextProcessAt, nowMs),
});

/** As in Go's CLI. */
const COLUMNS: Readonly<Record<TaskState, readonly Column[]>> = {
  active: [ID, TYPE, PAYLOAD],
  pending: [ID, TYPE, PAYLOAD],
  scheduled: [ID, TYPE, PAYLOAD, until('Process In')],
  retry: [
    ID,
    TYPE,
    PAYLOAD,
    until('Next Retry'),
    LAST_ERROR,
    LAST_FAILED,
    { header: 'Retried', cell: ({ retried }) => String(retried) },
    { header: 'Max Retry', cell: ({ maxRetry }) => String(maxRetry) },
  ],
  archived: [ID, TYPE, PAYLOAD, LAST_FAILED, LAST_ERROR],
  completed: [
    ID,
    TYPE,
    PAYLOAD,
    { header: 'CompletedAt', cell: ({ completedAt }) => pastText(completedAt) },
    { header: 'Result', cell: ({ result }) => bytesText(result ?? new Uint8Array(0)) },
  ],
  aggregating: [ID, TYPE, PAYLOAD, { header: 'Group', cell: ({ group }) => group }],
};

/** Tasks of one state as a table. Pure. */
export function taskTable(state: TaskState, tasks: readonly TaskInfo[], nowMs: number): string {
  const columns = COLUMNS[state];
  return renderTable(
    columns.map(({ header }) => header),
    tasks.map((task) => columns.map(({ cell }) => cell(task, nowMs))),
  );
}
