import type { Inspector } from '../tasks/inspector.ts';
import type { PageOptions } from '../tasks/inspector-options.ts';
import type { SchedulerEnqueueEvent } from '../tasks/scheduler-info.ts';
import { type Findings, forEachName } from './output.ts';
import { renderTable, SEPARATOR, visible } from './table.ts';

/** What entries have enqueued. Asynq remembers no entry, only its history: one that never was has none. */
export async function showEntryHistory(
  inspector: Inspector,
  ids: readonly string[],
  page: PageOptions,
): Promise<Findings> {
  const { done, failures } = await forEachName(ids, async (id) => ({
    id,
    events: await inspector.listSchedulerEnqueueEvents(id, page),
  }));
  return {
    data: done,
    text: () => done.map(({ id, events }) => historyText(id, events)).join(`\n${SEPARATOR}\n`),
    failures,
  };
}

function historyText(id: string, events: readonly SchedulerEnqueueEvent[]): string {
  const rows = events.map(({ taskId, enqueuedAt }) => [taskId, goTime(enqueuedAt)]);
  const body =
    rows.length === 0
      ? `No scheduler enqueue events found for entry: ${visible(id)}\n`
      : renderTable(['TaskID', 'EnqueuedAt'], rows);
  return `\nEntry: ${visible(id)}\n\n${body}`;
}

/** As Go prints a time that it is given no layout for: `2026-11-24 16:29:11.5 +0000 UTC`. */
function goTime(time: Date): string {
  const [day, clock = ''] = time.toISOString().split('T');
  return `${day} ${clock.replace(/\.?0*Z$/, '')} +0000 UTC`;
}
