import { type LimitsOwner, type QueueLimits, readQueueLimits } from '../broker/queue-limits.ts';
import type { RedisRouter } from '../redis/router.ts';
import { clearQueueLimits, setQueueLimits } from '../tasks/queue-limits.ts';
import { checkQueueName } from '../wire/keys.ts';
import { type Findings, forEachName } from './output.ts';
import { renderTable } from './table.ts';

interface LimitsRow {
  readonly queue: string;
  readonly concurrency: number | undefined;
  readonly ratePerSecond: number | undefined;
  readonly owner: LimitsOwner | undefined;
}

/**
 * Sets the limits of each queue when some are given, takes them away when told to, and shows what they are then, and whose:
 * an operator's go with the AsynqQueue that declares them.
 */
export async function limitQueues(
  redis: RedisRouter,
  queues: readonly string[],
  limits: QueueLimits,
  clear: boolean,
): Promise<Findings> {
  const isChange = limits.concurrency !== undefined || limits.ratePerSecond !== undefined;
  const { done, failures } = await forEachName(queues, async (queue): Promise<LimitsRow> => {
    checkQueueName(queue);
    if (isChange) await setQueueLimits(redis, queue, limits);
    else if (clear) await clearQueueLimits(redis, queue);
    const { concurrency, ratePerSecond, owner } = (await readQueueLimits(redis, queue)) ?? {};
    return { queue, concurrency, ratePerSecond, owner };
  });
  const rows = done.map(({ queue, concurrency, ratePerSecond, owner }) => [
    queue,
    String(concurrency ?? '-'),
    String(ratePerSecond ?? '-'),
    owner ?? '-',
  ]);
  const text = () =>
    rows.length === 0 ? '' : renderTable(['Queue', 'Concurrency', 'Rate Per Second', 'Owner'], rows);
  return { data: done, text, failures };
}
