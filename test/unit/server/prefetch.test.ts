import { describe, expect, test } from 'vitest';
import type { ServerConfig } from '../../../src/server/config.ts';
import { Prefetch } from '../../../src/server/prefetch.ts';
import { settled } from '../../support/fake-clock.ts';
import { HeldHandler, ServedQueue } from '../../support/served-queue.ts';

function after(prefetch: Prefetch, handlers: number, ms: number): number {
  for (let n = 0; n < handlers; n++) prefetch.handled(ms);
  return prefetch.tasks;
}

describe('how many tasks are held', () => {
  test('none, until handlers have shown for a while that they are very short', () => {
    const prefetch = new Prefetch(10);
    expect(prefetch.tasks).toBe(0);
    expect(after(prefetch, 100, 0)).toBe(0);
    expect(after(prefetch, 200, 0)).toBe(54);
  });

  test('none where handlers take a millisecond or more', () => {
    expect(after(new Prefetch(10), 10_000, 1)).toBe(0);
  });

  test('none again after a long one, or when tasks in hand did not move', () => {
    const prefetch = new Prefetch(10);
    after(prefetch, 300, 0);
    expect(after(prefetch, 1, 100)).toBe(0);
    expect(after(prefetch, 50, 0)).toBe(54);
    prefetch.stalled();
    expect(prefetch.tasks).toBe(0);
  });

  test('none where as many are fetched at once anyway', () => {
    expect(after(new Prefetch(64), 300, 0)).toBe(0);
  });
});

/** A server that has handled many short tasks, with 20 long ones in its queue. */
async function warmed(
  config: ServerConfig = {},
): Promise<{ served: ServedQueue; handler: HeldHandler; ids: string[] }> {
  const served = new ServedQueue({ concurrency: 5, ...config });
  const handler = new HeldHandler();
  await served.start((task, context) =>
    task.type === 'long' ? handler.processTask(task, context) : undefined,
  );
  await served.add(...Array.from({ length: 400 }, () => ({ type: 'short' })));
  const messages = Array.from({ length: 20 }, () => ({ type: 'long' }));
  served.broker.pause('default');
  const ids = await served.add(...messages);
  served.broker.pause('default', false);
  return { served, handler, ids };
}

describe('a server with very short handlers', () => {
  test('fetches many tasks at a time', async () => {
    await using served = new ServedQueue({ concurrency: 5 });
    const dequeues = () => served.broker.calls.filter(({ call }) => call === 'dequeue').length;
    let handled = 0;
    await served.start(() => void handled++);
    await served.add(...Array.from({ length: 400 }, () => ({})));
    served.broker.pause('default');
    await served.add(...Array.from({ length: 640 }, () => ({})));
    served.broker.pause('default', false);
    const before = dequeues();
    await served.clock.advance(1_500);
    expect(handled).toBe(1_040);
    expect(dequeues() - before).toBeLessThan(20);
  });

  test('still runs no more handlers at once than it may', async () => {
    const { served, handler, ids } = await warmed();
    await served.clock.advance(1_500);
    expect(handler.running).toHaveLength(5);
    while (handler.running.length > 0) await handler.endFirst();
    await served.clock.advance(10_000);
    while (handler.running.length > 0) await handler.endFirst();
    expect(handler.mostAtOnce).toBe(5);
    expect(ids.map((id) => served.stateOf(id))).toEqual(ids.map(() => undefined));
    await served[Symbol.asyncDispose]();
  });

  test('gives back what it holds when handlers turn out to be long', async () => {
    const { served, handler, ids } = await warmed();
    await served.clock.advance(1_500);
    const states = ids.map((id) => served.stateOf(id));
    expect(states.filter((state) => state === 'active')).toHaveLength(5);
    expect(states.filter((state) => state === 'pending')).toHaveLength(15);
    expect(served.broker.pendingOf('default')).toEqual(ids.slice(5));
    const settles = served.broker.calls.filter(({ call }) => call === 'settle').length;
    await served.clock.advance(10_000);
    expect(served.broker.calls.filter(({ call }) => call === 'settle')).toHaveLength(settles);
    await handler.endAll();
    await served[Symbol.asyncDispose]();
  });

  test.each<[string, ServerConfig]>([
    ['priorities are strict', { strictPriority: true }],
    ['it is told so', { prefetch: false }],
  ])('holds none when %s', async (_, config) => {
    const { served, handler, ids } = await warmed(config);
    const settles = () => served.broker.calls.filter(({ call }) => call === 'settle').length;
    const before = settles();
    await served.clock.advance(1_500);
    expect(handler.running).toHaveLength(5);
    expect(ids.filter((id) => served.stateOf(id) === 'active')).toHaveLength(5);
    expect(settles()).toBe(before); // nothing had to be given back
    await handler.endAll();
    await settled();
    await served[Symbol.asyncDispose]();
  });
});
