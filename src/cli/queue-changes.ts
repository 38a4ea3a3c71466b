import { AsynqError, errorText } from '../runtime/errors.ts';
import type { Inspector } from '../tasks/inspector.ts';
import { type Findings, forEachName } from './output.ts';
import { visible } from './table.ts';

/** Pauses each of the queues. */
export function pauseQueues(inspector: Inspector, queues: readonly string[]): Promise<Findings> {
  return change(queues, 'paused', (queue) => inspector.pauseQueue(queue));
}

/** Ends the pause of each of the queues. */
export function resumeQueues(inspector: Inspector, queues: readonly string[]): Promise<Findings> {
  return change(queues, 'unpaused', (queue) => inspector.unpauseQueue(queue));
}

/** Removes each of the queues; `force`: with the tasks in them. */
export function removeQueues(
  inspector: Inspector,
  queues: readonly string[],
  options: { readonly force: boolean },
): Promise<Findings> {
  return change(queues, 'removed', (queue) => inspector.deleteQueue(queue, options));
}

type Change = 'paused' | 'unpaused' | 'removed';

async function change(
  queues: readonly string[],
  result: Change,
  work: (queue: string) => Promise<void>,
): Promise<Findings> {
  const { done, failures } = await forEachName(
    queues,
    async (queue) => {
      await work(queue);
      return { queue, result };
    },
    failureText,
  );
  const line = ({ queue }: { queue: string }) => `Successfully ${result} queue "${visible(queue)}"\n`;
  return { data: done, text: () => done.map(line).join(''), failures };
}

function failureText(error: unknown, queue: string): string {
  if (!AsynqError.is(error, 'ASYNQ_QUEUE_NOT_EMPTY')) return errorText(error);
  const remedy = `asynq queue rm --force ${visible(queue)}`;
  return `${errorText(error)}\nIf you are sure you want to delete it, run '${remedy}'`;
}
