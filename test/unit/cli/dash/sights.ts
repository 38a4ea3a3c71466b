import type { DashData } from '../../../../src/cli/dash/data.ts';
import type { Line } from '../../../../src/cli/dash/line.ts';
import { draw, type Picture } from '../../../../src/cli/dash/picture.ts';
import { type DashState, type QueueView, START } from '../../../../src/cli/dash/state.ts';
import { Payload } from '../../../../src/tasks/payload.ts';
import type { QueueInfo } from '../../../../src/tasks/queue-info.ts';
import type { TaskInfo } from '../../../../src/tasks/task-info.ts';

export const NOW = Date.UTC(2026, 10, 24, 16, 30);

export function info(queue: string, fields: Partial<QueueInfo> = {}): QueueInfo {
  const counts = { pending: 0, active: 0, scheduled: 0, retry: 0, archived: 0, completed: 0, aggregating: 0 };
  const given = { ...counts, ...fields };
  const { pending, active, scheduled, retry, archived, completed, aggregating } = given;
  return {
    queue,
    memoryUsageBytes: 1_234,
    latencySeconds: 0,
    groups: 0,
    processed: 0,
    failed: 0,
    processedTotal: 0,
    failedTotal: 0,
    paused: false,
    timestamp: new Date(NOW),
    size: pending + active + scheduled + retry + archived + completed + aggregating,
    ...given,
  };
}

export function task(fields: Partial<TaskInfo> = {}): TaskInfo {
  return {
    id: 'b3c2a9f0-5d0e-4a43-9a0e-0c3a9f1d2e11',
    queue: 'default',
    type: 'email:send',
    payload: Payload.of({ to: 7 }),
    headers: {},
    state: 'pending',
    maxRetry: 25,
    retried: 0,
    lastErr: '',
    lastFailedAt: undefined,
    timeoutSeconds: 1_800,
    deadline: undefined,
    group: '',
    nextProcessAt: undefined,
    isOrphaned: false,
    retentionSeconds: 0,
    completedAt: undefined,
    result: undefined,
    ...fields,
  };
}

/** The state with a queue open. */
export function inQueue(view: Partial<QueueView> & Pick<QueueView, 'queue'>): DashState {
  const start = {
    state: 'active',
    group: undefined,
    page: 1,
    cursor: START.cursor,
    task: undefined,
  } as const;
  return { ...START, queue: { ...start, ...view } };
}

export function picture(state: DashState, data: DashData, fields: Partial<Picture> = {}): Picture {
  return { state, data, size: { columns: 80, rows: 24 }, nowMs: NOW, failure: undefined, ...fields };
}

/** The screen as text, without blanks at the ends of lines. */
export function screenText(shown: Picture): string {
  return draw(shown)
    .map((spans) => textOf(spans).trimEnd())
    .join('\n');
}

export function textOf(spans: Line): string {
  return spans.map(({ text }) => text).join('');
}
