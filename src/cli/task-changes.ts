import { errorText } from '../runtime/errors.ts';
import type { Inspector } from '../tasks/inspector.ts';
import { type Findings, forEachName } from './output.ts';
import { visible } from './table.ts';

/** Asks for each of the tasks that its server cancel it; whether one of them is active nobody knows here. */
export async function cancelTasks(inspector: Inspector, ids: readonly string[]): Promise<Findings> {
  const { done, failures } = await forEachName(
    ids,
    async (id) => {
      await inspector.cancelProcessing(id);
      return { id, result: 'cancelation sent' };
    },
    (error) => `could not send cancelation signal: ${errorText(error)}`,
  );
  const line = ({ id }: { id: string }) => `Sent cancelation signal for task ${visible(id)}\n`;
  return { data: done, text: () => done.map(line).join(''), failures };
}

export async function archiveTask(inspector: Inspector, queue: string, id: string): Promise<Findings> {
  await inspector.archiveTask(queue, id);
  return { data: { queue, id, result: 'archived' }, text: () => 'task archived\n' };
}

export async function deleteTask(inspector: Inspector, queue: string, id: string): Promise<Findings> {
  await inspector.deleteTask(queue, id);
  return { data: { queue, id, result: 'deleted' }, text: () => 'task deleted\n' };
}

export async function runTask(inspector: Inspector, queue: string, id: string): Promise<Findings> {
  await inspector.runTask(queue, id);
  return { data: { queue, id, result: 'pending' }, text: () => 'task is now pending\n' };
}
