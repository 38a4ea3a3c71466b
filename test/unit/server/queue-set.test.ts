import { describe, expect, test } from 'vitest';
import { QueueSet } from '../../../src/server/queue-set.ts';
import { Task } from '../../../src/tasks/task.ts';
import { settled } from '../../support/fake-clock.ts';
import { HeldHandler, ServedQueue } from '../../support/served-queue.ts';
import { taskMessage } from '../../support/task-messages.ts';

describe('work for each queue', () => {
  test('begins with its queue, ends with it, and all ends with the signal', async () => {
    const queues = new QueueSet({ a: 1 });
    const stop = new AbortController();
    const log: string[] = [];
    const all = queues.each(async (queue, signal) => {
      log.push(`+${queue}`);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      log.push(`-${queue}`);
    }, stop.signal);
    queues.set('b', 1);
    queues.set('b', 2);
    expect(queues.delete('a')).toBe(true);
    expect(queues.delete('a')).toBe(false);
    await settled();
    queues.set('a', 1);
    expect(log).toEqual(['+a', '+b', '-a', '+a']);
    stop.abort();
    await all;
    queues.set('c', 1);
    expect(log).toEqual(['+a', '+b', '-a', '+a', '-b', '-a']);
  });

  test('that rejects ends it all', async () => {
    const queues = new QueueSet({ a: 1, b: 1 });
    let ended = false;
    const all = queues.each(async (queue, signal) => {
      if (queue === 'b') throw new Error('a bug');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      ended = true;
    }, new AbortController().signal);
    await expect(all).rejects.toThrow('a bug');
    expect(ended).toBe(true);
  });
});

describe('a queue that is added to a server', () => {
  test('is served in every way, and announced', async () => {
    await using served = new ServedQueue({
      groupAggregator: () => new Task('grouped'),
      groupGracePeriod: 1_000,
      retryDelay: () => 0,
    });
    const types: string[] = [];
    await served.start((task) => types.push(task.type));
    await served.add({ queue: 'new', type: 'lost' });
    await served.broker.dequeue('new', 1);
    await served.add({ queue: 'new', type: 'pending' });
    await served.broker.enqueue({
      message: taskMessage({ queue: 'new', type: 'scheduled' }),
      processAt: served.clock.now() + 10_000,
    });
    await served.broker.enqueue({ message: taskMessage({ queue: 'new' }), group: 'g' });
    const [kept = ''] = await served.add({ queue: 'new', type: 'kept', retention: 1 });
    await served.clock.advance(20_000);
    expect(types).toEqual([]);
    served.server.addQueue('new', 3);
    await settled();
    expect(types).toEqual(expect.arrayContaining(['pending', 'kept', 'scheduled', 'grouped']));
    await served.clock.advance(90_000);
    expect(types.toSorted()).toEqual(['grouped', 'kept', 'lost', 'pending', 'scheduled']);
    expect(served.stateOf(kept, 'new')).toBeUndefined();
    expect([...served.broker.servers.values()][0]?.queues).toEqual({ default: 1, new: 3 });
  });

  test('takes its place by its priority, and another when that changes', async () => {
    await using served = new ServedQueue({
      concurrency: 1,
      queues: { low: 1, mid: 5 },
      strictPriority: true,
    });
    const handler = new HeldHandler();
    const types: string[] = [];
    await served.add(...['low', 'low', 'mid', 'mid', 'top', 'top'].map((queue) => ({ queue, type: queue })));
    await served.start((task, context) => {
      types.push(task.type);
      return handler.processTask(task, context);
    });
    served.server.addQueue('top', 9);
    await handler.endFirst();
    served.server.addQueue('low', 20);
    while (handler.running.length > 0) await handler.endFirst();
    await served.clock.advance(5_000);
    expect(types).toEqual(['mid', 'top', 'low', 'low', 'top', 'mid']);
  });

  test('must have a name and a priority, and a server that is not closed', async () => {
    const served = new ServedQueue();
    const { server } = served;
    expect(() => server.addQueue(' ')).toThrow('queue name must contain');
    expect(() => server.addQueue('a', 0)).toThrow("queue 'a': expected a priority");
    server.addQueue('before the start');
    await served.start(() => {});
    await served[Symbol.asyncDispose]();
    expect([...served.broker.calls].some(({ queue }) => queue === 'before the start')).toBe(true);
    expect(() => server.addQueue('a')).toThrow('asynq: Server closed');
  });
});

describe('a queue that is removed from a server', () => {
  test('is left alone; its tasks at work end, and their outcomes are written', async () => {
    await using served = new ServedQueue({
      queues: { default: 1, other: 1 },
      groupAggregator: () => new Task('t'),
    });
    const handler = new HeldHandler();
    const [ends = '', fails = ''] = await served.add({ queue: 'other' }, { queue: 'other' });
    await served.start(handler);
    expect(handler.running).toHaveLength(2);
    expect(served.server.removeQueue('other')).toBe(true);
    expect(served.server.removeQueue('other')).toBe(false);
    const [left = ''] = await served.add({ queue: 'other' });
    served.broker.calls.length = 0;
    await served.clock.advance(60_000);
    const asked = served.broker.calls.filter(({ queue }) => queue === 'other').map(({ call }) => call);
    const goesOn = new Set<string>(['awaitPending', 'extendLeases']); // the wait that it was in, and its tasks at work
    expect(asked.filter((call) => !goesOn.has(call))).toEqual([]);
    expect(served.stateOf(ends, 'other')).toBe('active');
    await handler.endFirst();
    await handler.endFirst(new Error('no route'));
    expect([ends, fails, left].map((id) => served.stateOf(id, 'other'))).toEqual([
      undefined,
      'retry',
      'pending',
    ]);
    expect([...served.broker.servers.values()][0]?.queues).toEqual({ default: 1 });
  });

  test('gets back what is on its way, and what was not started', async () => {
    await using served = new ServedQueue({ queues: { default: 1, other: 1 } });
    const [id = ''] = await served.add({ queue: 'other' });
    served.broker.stall('dequeue other');
    const handler = new HeldHandler();
    await served.start(handler);
    served.server.removeQueue('other');
    served.broker.heal();
    await served.clock.advance(1_000);
    expect(handler.running).toEqual([]);
    expect(served.broker.pendingOf('other')).toEqual([id]);
  });

  test('may be the last: the server waits for another', async () => {
    await using served = new ServedQueue();
    const types: string[] = [];
    await served.start((task) => types.push(task.type));
    served.server.removeQueue('default');
    await served.add({ queue: 'default' });
    await served.clock.advance(30_000);
    expect(types).toEqual([]);
    served.server.addQueue('default');
    await served.clock.advance(1_000);
    expect(types).toEqual(['test:task']);
  });
});
