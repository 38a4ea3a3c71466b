import type { TaskInfo } from '../../tasks/task-info.ts';
import type { TaskState } from '../../wire/states.ts';
import { agoText, untilText } from '../time-text.ts';
import type { Column } from './columns.ts';
import { bytesCell } from './figures.ts';

const ID: Column<TaskInfo> = { header: 'ID', cell: ({ id }) => id, isElastic: true };
const TYPE: Column<TaskInfo> = { header: 'Type', cell: ({ type }) => type, isElastic: true };
const RETRIED: Column<TaskInfo> = { header: 'Retried', cell: ({ retried }) => String(retried) };
const MAX_RETRY: Column<TaskInfo> = { header: 'Max Retry', cell: ({ maxRetry }) => String(maxRetry) };
const PAYLOAD: Column<TaskInfo> = {
  header: 'Payload',
  cell: ({ payload }) => bytesCell(payload.bytes),
  isElastic: true,
};
const RETRY: Column<TaskInfo> = {
  header: 'Retry',
  cell: ({ retried, maxRetry }) => `${retried}/${maxRetry}`,
};
const LAST_FAILURE: Column<TaskInfo> = {
  header: 'Last Failure',
  cell: ({ lastErr }) => lastErr,
  isElastic: true,
};
const LAST_FAILURE_TIME: Column<TaskInfo> = {
  header: 'Last Failure Time',
  cell: ({ lastFailedAt }, nowMs) => passedText(lastFailedAt, nowMs),
};
const NEXT: Column<TaskInfo> = {
  header: 'Next Process Time',
  cell: ({ nextProcessAt }, nowMs) => untilText(nextProcessAt, nowMs),
};

/** As in Go's dash; times from now, which takes half the room. */
export const TASK_COLUMNS: Readonly<Record<TaskState, readonly Column<TaskInfo>[]>> = {
  active: [ID, TYPE, RETRIED, MAX_RETRY, PAYLOAD],
  pending: [ID, TYPE, RETRIED, MAX_RETRY, PAYLOAD],
  aggregating: [ID, TYPE, PAYLOAD, { header: 'Group', cell: ({ group }) => group, isElastic: true }],
  scheduled: [ID, TYPE, NEXT, PAYLOAD],
  retry: [ID, TYPE, RETRY, LAST_FAILURE, LAST_FAILURE_TIME, NEXT, PAYLOAD],
  archived: [ID, TYPE, RETRY, LAST_FAILURE, LAST_FAILURE_TIME, PAYLOAD],
  completed: [
    ID,
    TYPE,
    { header: 'Completion Time', cell: ({ completedAt }, nowMs) => passedText(completedAt, nowMs) },
    PAYLOAD,
    { header: 'Result', cell: ({ result }) => bytesCell(result), isElastic: true },
  ],
};

function passedText(time: Date | undefined, nowMs: number): string {
  return time === undefined ? '-' : agoText(time, nowMs);
}
