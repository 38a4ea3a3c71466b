import { describe, expect, test } from 'vitest';
import type { FakeBroker } from '../../support/fake-broker.ts';
import { settled } from '../../support/fake-clock.ts';
import { HeldHandler, ServedQueue } from '../../support/served-queue.ts';
import { taskMessage } from '../../support/task-messages.ts';

const tasksOf = (queue: string, count: number) =>
  Array.from({ length: count }, () => ({ queue, type: queue }));

function dequeues(broker: FakeBroker, queue?: string): number {
  return broker.calls.filter((made) => made.call === 'dequeue' && (queue ?? made.queue) === made.queue)
    .length;
}

/** The order in which a server of one slot takes these tasks. */
async function orderOf(served: ServedQueue): Promise<string[]> {
  const order: string[] = [];
  await served.start((task) => order.push(task.type));
  await served.clock.advance(10_000);
  return order;
}

describe('the order of queues', () => {
  test('strict: a queue waits until those above it are empty', async () => {
    await using served = new ServedQueue({
      concurrency: 1,
      queues: { low: 1, critical: 6, default: 3 },
      strictPriority: true,
    });
    await served.add(...tasksOf('low', 3), ...tasksOf('default', 3), ...tasksOf('critical', 3));
    expect(await orderOf(served)).toEqual(
      ['critical', 'default', 'low'].flatMap((name) => [name, name, name]),
    );
  });

  test('strict: what comes into a higher queue is next', async () => {
    await using served = new ServedQueue({
      concurrency: 1,
      queues: { low: 1, critical: 6 },
      strictPriority: true,
    });
    const handler = new HeldHandler();
    await served.add(...tasksOf('low', 3));
    await served.start(handler);
    const [urgent] = await served.add({ queue: 'critical' });
    await handler.endFirst();
    expect(handler.running[0]?.taskId).toBe(urgent);
    while (handler.running.length > 0) await handler.endFirst();
  });

  test('weighted: while all have tasks, they are taken by their shares', async () => {
    let drawn = 0;
    await using served = new ServedQueue({
      concurrency: 10,
      queues: { low: 1, critical: 6, default: 3 },
      random: () => (drawn++ % 10) / 10,
    });
    const handler = new HeldHandler();
    await served.add(...tasksOf('low', 50), ...tasksOf('default', 50), ...tasksOf('critical', 50));
    const types: string[] = [];
    await served.start((task, context) => {
      types.push(task.type);
      return handler.processTask(task, context);
    });
    await handler.endAll();
    const counts = ['critical', 'default', 'low'].map((name) => types.filter((type) => type === name).length);
    expect(counts).toEqual([12, 6, 2]);
    while (handler.running.length > 0) await handler.endFirst();
  });

  test('weighted: slots that a queue leaves go to those that have more', async () => {
    await using served = new ServedQueue({ concurrency: 10, queues: { low: 1, critical: 6, default: 3 } });
    const handler = new HeldHandler();
    await served.add(...tasksOf('low', 50), ...tasksOf('critical', 1));
    await served.start(handler);
    expect(handler.running).toHaveLength(10);
    while (handler.running.length > 0) await handler.endFirst();
  });
});

describe('queues that give nothing', () => {
  test('a paused queue is left alone until it goes on', async () => {
    await using served = new ServedQueue();
    served.broker.pause('default');
    const [id = ''] = await served.add({});
    await served.start(() => {});
    await served.clock.advance(10_000);
    expect(served.stateOf(id)).toBe('pending');
    served.broker.pause('default', false);
    await served.clock.advance(1_500);
    expect(served.stateOf(id)).toBeUndefined();
  });

  test('a message that nobody can read is set aside and holds nothing up', async () => {
    await using served = new ServedQueue();
    served.broker.addUnreadable('default', 'bad');
    const [id = ''] = await served.add({});
    await served.start(() => {});
    expect(served.stateOf('bad')).toBe('archived');
    expect(served.stateOf(id)).toBeUndefined();
  });
});

describe('a queue that is held back by its limits', () => {
  test('is asked again as soon as a task of its own is settled', async () => {
    await using served = new ServedQueue();
    served.broker.limit('default', 2);
    const handler = new HeldHandler();
    await served.add({}, {}, {}, {});
    await served.start(handler);
    expect(handler.running).toHaveLength(2);
    for (const left of [2, 2, 1, 0]) {
      await handler.endFirst();
      await settled();
      expect(handler.running).toHaveLength(left);
    }
  });

  test('is asked again when it says, without a wait for pushes, for tasks of other servers', async () => {
    await using served = new ServedQueue();
    served.broker.limit('default', 0);
    await served.add({});
    await served.start(() => {});
    const waits = () => served.broker.calls.filter(({ call }) => call === 'awaitPending').length;
    const before = { dequeues: dequeues(served.broker), waits: waits() };
    await served.clock.advance(2_000);
    // Each 250 ms, and half of the 25 ms that chance adds.
    expect(dequeues(served.broker) - before.dequeues).toBe(7);
    expect(waits()).toBe(before.waits);
    served.broker.limit('default', 1);
    await served.clock.advance(300);
    expect(served.broker.pendingOf('default')).toEqual([]);
  });

  test('is asked again when it says, though the round in which it said so took longer than that', async () => {
    const queues = { limited: 3, slow: 2, slower: 1 };
    await using served = new ServedQueue({ queues, strictPriority: true });
    served.broker.limit('limited', 0);
    served.broker.slow('dequeue slow', 200);
    served.broker.slow('dequeue slower', 200);
    await served.broker.enqueue({ message: taskMessage({ queue: 'limited' }) });
    await served.start(() => {});
    await served.clock.advance(3_900);
    expect(dequeues(served.broker, 'limited')).toBe(10);
  });

  test('is asked again when it says, though it said so late', async () => {
    await using served = new ServedQueue({ queues: { limited: 1, default: 1 } });
    served.broker.limit('limited', 0);
    served.broker.slow('dequeue limited', 300);
    await served.broker.enqueue({ message: taskMessage({ queue: 'limited' }) });
    await served.start(() => {});
    await served.clock.advance(5_000);
    // Each 300 ms that it takes, and the 250 ms that it says.
    expect(dequeues(served.broker, 'limited')).toBe(9);
  });

  test('leaves its slots to other queues', async () => {
    await using served = new ServedQueue({ concurrency: 4, queues: { full: 9, default: 1 } });
    served.broker.limit('full', 1);
    const handler = new HeldHandler();
    await served.add(...tasksOf('full', 5), ...tasksOf('default', 5));
    await served.start(handler);
    expect(handler.running).toHaveLength(4);
    expect(served.broker.pendingOf('full')).toHaveLength(4);
    while (handler.running.length > 0) await handler.endFirst();
  });
});

describe('Redis is away', () => {
  test('it is asked ever more seldom, and work goes on soon after it is back', async () => {
    await using served = new ServedQueue();
    const handled: string[] = [];
    await served.start((_, { taskId }) => handled.push(taskId));
    served.broker.breakDown();
    const before = dequeues(served.broker);
    await served.clock.advance(60_000);
    expect(dequeues(served.broker) - before).toBeLessThan(30);
    served.broker.heal();
    const ids = await served.add({});
    await served.clock.advance(5_000);
    expect(handled).toEqual(ids);
  });

  test('says so, and again each half minute', async () => {
    const errors: string[] = [];
    const log = {
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: (_: object, message: string) => errors.push(message),
      child: () => log,
    };
    await using served = new ServedQueue({ log });
    served.broker.breakDown('dequeue');
    await served.start(() => {});
    await served.clock.advance(60_000);
    const said = errors.filter((message) => message === 'cannot dequeue').length;
    expect(said).toBeGreaterThanOrEqual(2);
    expect(said).toBeLessThanOrEqual(3);
  });

  test('one queue that fails holds no other up', async () => {
    await using served = new ServedQueue({ queues: { bad: 1, default: 1 } });
    served.broker.breakDown('dequeue bad');
    const handled: string[] = [];
    await served.start((_, { taskId }) => handled.push(taskId));
    for (let round = 0; round < 20; round++) await served.add({}, {}, {});
    expect(handled).toHaveLength(60);
  });

  test('slots that a queue was offered are kept for it until it answers', async () => {
    await using served = new ServedQueue({ concurrency: 4, queues: { slow: 1, default: 1 } });
    const handler = new HeldHandler();
    await served.add(...tasksOf('slow', 4), ...tasksOf('default', 8));
    served.broker.stall('dequeue slow');
    await served.start(handler);
    await served.clock.advance(5_000);
    expect(handler.running).toHaveLength(2);
    served.broker.heal();
    await settled();
    expect(handler.running).toHaveLength(4);
    while (handler.running.length > 0) await handler.endFirst();
    expect(handler.mostAtOnce).toBe(4);
  });

  test('a queue whose every answer is late is asked again as soon as it has said that there is more', async () => {
    await using served = new ServedQueue({ concurrency: 4, queues: { slow: 1, default: 1 } });
    await served.add(...tasksOf('slow', 20));
    served.broker.slow('dequeue slow', 300);
    let handled = 0;
    await served.start(() => void handled++);
    await served.clock.advance(3_500);
    expect(handled).toBe(20); // two at a time
  });

  test('one queue that does not answer holds no other up, and no reply of it is lost', async () => {
    await using served = new ServedQueue({ concurrency: 4, queues: { slow: 1, default: 1 } });
    const [late = ''] = await served.add({ queue: 'slow' });
    served.broker.stall('dequeue slow');
    const handled: string[] = [];
    await served.start((_, { taskId }) => handled.push(taskId));
    const ids = await served.add({}, {}, {});
    expect(handled).toEqual(ids);
    served.broker.heal();
    await settled();
    expect(handled).toEqual([...ids, late]);
  });
});
