import type { QueueLimits } from '../broker/queue-limits.ts';
import type { RedisRouter } from '../redis/router.ts';
import { clearQueueLimits, getQueueLimits, setQueueLimits } from '../tasks/queue-limits.ts';
import { type Findings, forEachName } from './output.ts';
import { renderTable } from './table.ts';

interface LimitsRow {
  readonly queue: string;
  readonly concurrency: number | undefined;
  readonly ratePerSecond: number | undefined;
}

/** Sets the limits of each queue when some are given, takes them away when told to, and shows what they are then. */
export async function limitQueues(
  redis: RedisRouter,
  queues: readonly string[],
  limits: QueueLimits,
  clear: boolean,
): Promise<Findings> {
  const isChange = limits.concurrency !== undefined || limits.ratePerSecond !== undefined;
  const { done, failures } = await forEachName(queues, async (queue): Promise<LimitsRow> => {
    if (isChange) await setQueueLimits(redis, queue, limits);
    else if (clear) await clearQueueLimits(redis, queue);
    const { concurrency, ratePerSecond } = (await getQueueLimits(redis, queue)) ?? {};
    return { queue, concurrency, ratePerSecond };
  });
  const rows = done.map(({ queue, concurrency, ratePerSecond }) => [
    queue,
    String(concurrency ?? '-'),
    String(ratePerSecond ?? '-'),
  ]);
  const text = () =>
    rows.length === 0 ? '' : renderTable(['Queue', 'Concurrency', 'Rate Per Second'], rows);
  return { data: done, text, failures };
}
