import type { RedisRouter } from '../redis/router.ts';
import type { Clock } from '../runtime/clock.ts';
import { silentLogger } from '../runtime/logger.ts';
import { Client } from '../tasks/client.ts';
import type { TaskOptions } from '../tasks/options.ts';
import { Task } from '../tasks/task.ts';
import type { Findings } from './output.ts';
import { visible } from './table.ts';
import { taskData } from './task-data.ts';

/** Puts one task into its queue. */
export async function enqueueTask(
  redis: RedisRouter,
  { type, payload, options }: { type: string; payload: string; options: TaskOptions },
  clock: Clock,
): Promise<Findings> {
  const client = new Client(redis, { clock, log: silentLogger });
  const info = await client.enqueue(new Task(type, Buffer.from(payload)), options);
  return {
    data: taskData(info),
    text: () => `Enqueued task ${visible(info.id)} to queue ${visible(info.queue)}\n`,
  };
}
