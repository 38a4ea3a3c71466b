import { describe, expect, test } from 'vitest';
import { settled } from '../../support/fake-clock.ts';
import { ServedQueue } from '../../support/served-queue.ts';
import { taskMessage } from '../../support/task-messages.ts';

const slow = { taskCheckInterval: 600_000 };

function waits(served: ServedQueue): number {
  return served.broker.calls.filter(({ call }) => call === 'awaitPending').length;
}

describe('an idle server', () => {
  test('takes a task in the moment in which it comes', async () => {
    await using served = new ServedQueue(slow);
    const started: number[] = [];
    await served.start(() => void started.push(served.clock.now()));
    await served.clock.advance(60_000);
    for (let n = 0; n < 3; n++) {
      const sent = served.clock.now();
      await served.broker.enqueue({ message: taskMessage({ queue: 'default' }) });
      await settled();
      expect(started[n]).toBe(sent);
      await served.clock.advance(60_000);
    }
  });

  test('takes it from any of its queues', async () => {
    await using served = new ServedQueue({ ...slow, queues: { a: 1, b: 2, c: 3 } });
    const started: string[] = [];
    await served.start((task) => started.push(task.type));
    for (const queue of ['b', 'a', 'c', 'b']) {
      await served.broker.enqueue({ message: taskMessage({ queue, type: queue }) });
      await settled();
    }
    expect(started).toEqual(['b', 'a', 'c', 'b']);
  });

  test('polls, and asks seldom to wait, when waiting is not to be had', async () => {
    await using served = new ServedQueue({ taskCheckInterval: 1_000 });
    served.broker.breakDown('awaitPending');
    const handled: string[] = [];
    await served.start((_, { taskId }) => handled.push(taskId));
    await served.clock.advance(60_000);
    expect(waits(served)).toBeGreaterThan(5);
    expect(waits(served)).toBeLessThan(15);
    const ids = await served.add({});
    expect(handled).toEqual(ids);
  });

  test('does not wait for a queue that is paused', async () => {
    await using served = new ServedQueue({ taskCheckInterval: 1_000 });
    served.broker.pause('default');
    await served.start(() => {});
    await served.clock.advance(10_000);
    expect(waits(served)).toBe(0);
  });

  test('waits no more once it is stopped', async () => {
    await using served = new ServedQueue(slow);
    await served.start(() => {});
    await served.clock.advance(60_000);
    served.server.stop();
    const before = waits(served);
    await served.clock.advance(60_000);
    expect(waits(served)).toBe(before);
  });

  test('waits for some of very many queues, and polls the others', async () => {
    const names = Array.from({ length: 20 }, (_, n) => `queue ${n}`);
    await using served = new ServedQueue({ queues: Object.fromEntries(names.map((name) => [name, 1])) });
    await served.start(() => {});
    await served.clock.advance(2_000);
    expect(waits(served)).toBe(8);
  });
});
