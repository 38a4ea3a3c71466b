import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../src/tasks/client.ts';
import type { Task } from '../src/tasks/task.ts';
import { type DemoQueue, STEADY_SECONDS } from './scenario.ts';

const STEPS_PER_SECOND = 10;

/** A burst, then a steady load. `onEnqueued` is told of every task that is in. */
export async function runLoad(
  client: Client,
  queues: readonly DemoQueue[],
  onEnqueued: (queue: string, id: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const put = async ({ queue, newTask }: DemoQueue, count: number) => {
    const tasks = Array.from({ length: count }, (): Task => newTask());
    for (const result of await client.enqueueMany(tasks, { queue })) {
      if (result.status === 'rejected') throw result.reason;
      onEnqueued(queue, result.value.id);
    }
  };
  await Promise.all(queues.map((queue) => put(queue, queue.burst)));
  for (let step = 1; step <= STEADY_SECONDS * STEPS_PER_SECOND; step++) {
    await sleep(1000 / STEPS_PER_SECOND, undefined, { signal });
    const due = ({ rate }: DemoQueue, until: number) => Math.floor((rate * until) / STEPS_PER_SECOND);
    await Promise.all(queues.map((queue) => put(queue, due(queue, step) - due(queue, step - 1))));
  }
}
