import type { Inspector } from '../tasks/inspector.ts';
import type { DailyStats } from '../tasks/queue-info.ts';
import { type Findings, forEachName } from './output.ts';
import { errorRate } from './queue-figures.ts';
import { renderTable, SEPARATOR, visible } from './table.ts';
import { dayText } from './time-text.ts';

/** What queues did in the last days. */
export async function showHistory(
  inspector: Inspector,
  queues: readonly string[],
  days: number,
): Promise<Findings> {
  const { done, failures } = await forEachName(queues, async (queue) => ({
    queue,
    days: await inspector.history(queue, days),
  }));
  return {
    data: done.map((one) => ({ queue: one.queue, days: one.days.map(dayData) })),
    text: () => done.map((one) => historyText(one.queue, one.days)).join(`\n${SEPARATOR}\n\n`),
    failures,
  };
}

function dayData({ date, processed, failed }: DailyStats): object {
  return { date: dayText(date), processed, failed };
}

function historyText(queue: string, days: readonly DailyStats[]): string {
  const rows = days.map(({ date, processed, failed }) => [
    dayText(date),
    String(processed),
    String(failed),
    errorRate(processed, failed),
  ]);
  const table = renderTable(['date (UTC)', 'processed', 'failed', 'error rate'], rows);
  return `Queue: ${visible(queue)}\n\n${table}`;
}
