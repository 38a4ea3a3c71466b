import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/runtime/logger.ts';
import type { AggregateContext } from '../../../src/server/group-aggregator.ts';
import { Server } from '../../../src/server/server.ts';
import type { TaskOptions } from '../../../src/tasks/options.ts';
import { Task } from '../../../src/tasks/task.ts';
import type { TaskMessage } from '../../../src/wire/task-message.ts';
import { settled } from '../../support/fake-clock.ts';
import { ServedQueue } from '../../support/served-queue.ts';
import { taskMessage } from '../../support/task-messages.ts';

async function addToGroup(
  served: ServedQueue,
  group: string,
  fields: Partial<TaskMessage> = {},
): Promise<TaskMessage> {
  const message = taskMessage({ queue: 'default', groupKey: group, ...fields });
  await served.broker.enqueue({ message, group });
  return message;
}

/** Makes a task that tells how many it was made of. */
function counting(options?: TaskOptions) {
  return (group: string, tasks: readonly Task[]) => new Task(`all:${group}`, { n: tasks.length }, options);
}

/** An aggregator whose aggregations last until the test ends them. */
class HeldAggregator {
  readonly underWay: {
    readonly group: string;
    readonly context: AggregateContext;
    end: (task: Task) => void;
  }[] = [];

  aggregate(group: string, _tasks: readonly Task[], context: AggregateContext): Promise<Task> {
    return new Promise((end) => this.underWay.push({ group, context, end }));
  }
}

const calls = (served: ServedQueue, call: string) =>
  served.broker.calls.filter((made) => made.call === call).length;

describe('an aggregator', () => {
  test('makes one task of a group when its grace period is over, at that moment, and the task is run at once', async () => {
    await using served = new ServedQueue({
      groupAggregator: counting(),
      groupGracePeriod: 30_000,
      taskCheckInterval: 600_000,
    });
    served.broker.breakDown('awaitPending');
    const made: unknown[] = [];
    await served.start((task) => made.push([task.type, task.payload.getInt('n'), served.clock.now()]));
    await served.clock.advance(8_250);
    await addToGroup(served, 'g');
    const newest = Math.floor(served.clock.now() / 1000) * 1000;
    await addToGroup(served, 'g');
    await served.clock.advance(60_000);
    expect(made).toEqual([['all:g', 2, newest + 30_000]]);
  });

  test('hands tasks over with type, payload and headers, the oldest first', async () => {
    const seen: unknown[] = [];
    await using served = new ServedQueue({
      groupGracePeriod: 1_000,
      groupAggregator: (group, tasks, { queue, deadline }) => {
        seen.push(group, queue, deadline - served.clock.now());
        for (const { type, payload, headers, options } of tasks)
          seen.push([type, payload.getInt('n'), headers, options.queue]);
        return new Task('all');
      },
    });
    await addToGroup(served, 'g', { type: 'a', payload: Buffer.from('{"n":1}'), headers: { trace: 'x' } });
    await served.clock.advance(1_000);
    await addToGroup(served, 'g', { type: 'b', payload: Buffer.from('{"n":2}') });
    await served.clock.advance(1_000);
    await served.start(() => {});
    expect(seen).toEqual([
      'g',
      'default',
      120_000,
      ['a', 1, { trace: 'x' }, undefined],
      ['b', 2, {}, undefined],
    ]);
  });

  test('takes a group in pieces of its largest size, and soon', async () => {
    await using served = new ServedQueue({ groupAggregator: counting(), groupMaxSize: 3 });
    const made: number[] = [];
    await served.start((task) => made.push(task.payload.getInt('n')));
    for (let n = 0; n < 7; n++) await addToGroup(served, 'g');
    await served.clock.advance(2_500);
    expect(made).toEqual([3, 3]);
    expect(served.broker.groupOf('default', 'g')).toHaveLength(1);
  });

  test('waits no longer than the longest delay, however often tasks come', async () => {
    await using served = new ServedQueue({
      groupAggregator: counting(),
      groupGracePeriod: 10_000,
      groupMaxDelay: 25_000,
    });
    const made: number[] = [];
    await served.start((task) => made.push(task.payload.getInt('n')));
    for (let n = 0; n < 6; n++) {
      await addToGroup(served, 'g');
      await served.clock.advance(5_000);
    }
    await served.clock.advance(0);
    expect(made).toEqual([5]);
  });

  test('takes other groups while an aggregation is slow', async () => {
    const held = new HeldAggregator();
    await using served = new ServedQueue({ groupAggregator: held, groupGracePeriod: 1_000 });
    const underWay = () => held.underWay.map(({ group }) => group);
    await served.start(() => {});
    for (const expected of [['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c']]) {
      await addToGroup(served, ['a', 'b', 'c', 'd'][underWay().length] ?? '');
      await served.clock.advance(3_000);
      expect(underWay()).toEqual(expected);
    }
    held.underWay[1]?.end(new Task('made'));
    await settled();
    expect(underWay()).toEqual(['a', 'b', 'c', 'd']);
    for (const { end } of held.underWay) end(new Task('made'));
  });

  test('tries a group that fails ever more seldom, whatever becomes of others', async () => {
    let tries = 0;
    await using served = new ServedQueue({
      groupAggregator: async (group) => {
        if (group !== 'bad') return new Task('made');
        tries++;
        await served.clock.sleep(2_500);
        throw new Error('a bug');
      },
      groupGracePeriod: 1_000,
    });
    await served.start(() => {});
    await addToGroup(served, 'bad');
    for (let second = 0; second < 60; second++) {
      await addToGroup(served, `good ${second}`);
      await served.clock.advance(1_000);
    }
    // After 1, 2, 4, 8, 16 seconds.
    expect(tries).toBe(6);
    expect(served.broker.looks).toBeLessThan(200);
  });

  test('keeps the options of the task that was made, but not its queue', async () => {
    await using served = new ServedQueue({
      groupGracePeriod: 1_000,
      groupAggregator: counting({ queue: 'elsewhere', taskId: 'mine', maxRetry: 3, retentionSeconds: 60 }),
    });
    await addToGroup(served, 'g');
    await served.start(() => {});
    await served.clock.advance(3_000);
    expect(served.stateOf('mine')).toBe('completed');
    expect(served.messageOf('mine')).toMatchObject({ queue: 'default', retry: 3 });
  });

  test('serves an object with a method as well', async () => {
    const aggregator = { made: 0, aggregate: () => new Task(`made:${++aggregator.made}`) };
    await using served = new ServedQueue({ groupGracePeriod: 1_000, groupAggregator: aggregator });
    await addToGroup(served, 'g');
    const types: string[] = [];
    await served.start((task) => types.push(task.type));
    await served.clock.advance(3_000);
    expect(types).toEqual(['made:1']);
  });

  test('asks seldom while nothing waits in groups, and not at all without an aggregator', async () => {
    await using without = new ServedQueue();
    await using served = new ServedQueue({ groupAggregator: counting() });
    for (const one of [without, served]) {
      await one.start(() => {});
      await one.clock.advance(70_000);
    }
    expect(calls(without, 'readyGroups')).toBe(0);
    expect(calls(served, 'readyGroups')).toBeLessThanOrEqual(11);
  });
});

test('aggregators of many servers look at groups little more often than one', async () => {
  const config = { groupAggregator: counting(), groupMaxSize: 3 };
  await using served = new ServedQueue(config);
  const others = Array.from(
    { length: 9 },
    () => new Server(served.broker, { ...config, clock: served.clock, log: silentLogger }),
  );
  const made: number[] = [];
  await addToGroup(served, 'g');
  await served.start((task) => made.push(task.payload.getInt('n')));
  for (const other of others) other.start((task) => made.push(task.payload.getInt('n')));
  await served.clock.advance(30_000);
  expect(served.broker.looks).toBeLessThanOrEqual(62);
  await addToGroup(served, 'g');
  await addToGroup(served, 'g');
  await served.clock.advance(2_500);
  expect(made).toEqual([3]);
  const closed = others.map((other) => other.shutdown());
  await served.clock.advance(10_000);
  await Promise.all(closed);
});

describe('an aggregation that fails', () => {
  const bad: [string, () => Task][] = [
    [
      'throws',
      () => {
        throw new Error('a bug');
      },
    ],
    ['rejects', () => Promise.reject(new Error('a bug')) as unknown as Task],
    ['makes no task', () => undefined as unknown as Task],
    ['makes a task that cannot be', () => new Task('t', null, { taskId: ' ' })],
  ];
  test.each(bad)('since it %s gives its tasks back, and is tried again ever more seldom', async (_, make) => {
    let tried = 0;
    await using served = new ServedQueue({
      groupGracePeriod: 1_000,
      groupAggregator: (group) => {
        tried++;
        return group === 'bad' ? make() : new Task('good');
      },
    });
    const { id } = await addToGroup(served, 'bad');
    const types: string[] = [];
    await served.start((task) => types.push(task.type));
    await served.clock.advance(60_000);
    expect(served.broker.groupOf('default', 'bad')).toEqual([id]);
    expect(served.stateOf(id)).toBe('aggregating');
    expect(tried).toBeGreaterThan(3);
    expect(tried).toBeLessThan(10);
    await addToGroup(served, 'good');
    await served.clock.advance(10_000);
    expect(types).toEqual(['good']);
  });

  test('since its id is taken is made again when that is free', async () => {
    await using served = new ServedQueue({
      groupGracePeriod: 1_000,
      groupAggregator: counting({ taskId: 'one' }),
    });
    await served.broker.enqueue({
      message: taskMessage({ queue: 'default', id: 'one' }),
      processAt: served.clock.now() + 20_000,
    });
    await addToGroup(served, 'g');
    const made: string[] = [];
    await served.start((task) => made.push(task.type));
    await served.clock.advance(15_000);
    expect(made).toEqual([]);
    await served.clock.advance(60_000);
    expect(made).toEqual(['test:task', 'all:g']);
  });
});

describe('while Redis is away', () => {
  test('an aggregate that was made waits to be written', async () => {
    let tried = 0;
    await using served = new ServedQueue({
      groupGracePeriod: 1_000,
      groupAggregator: () => new Task(`made:${++tried}`),
    });
    await addToGroup(served, 'g');
    served.broker.breakDown('finishAggregation');
    const types: string[] = [];
    await served.start((task) => types.push(task.type));
    await served.clock.advance(30_000);
    served.broker.heal();
    await served.clock.advance(8_000);
    expect(types).toEqual(['made:1']);
  });

  test('groups are looked at again when it is back', async () => {
    await using served = new ServedQueue({ groupGracePeriod: 1_000, groupAggregator: counting() });
    await addToGroup(served, 'g');
    served.broker.breakDown();
    await served.start(() => {});
    await served.clock.advance(60_000);
    served.broker.heal();
    await served.clock.advance(8_000);
    expect(served.broker.groupOf('default', 'g')).toEqual([]);
  });
});

describe('tasks whose aggregation takes too long', () => {
  test('are in their group again, and what is made of them late is dropped', async () => {
    const aggregator = new HeldAggregator();
    await using served = new ServedQueue({ groupGracePeriod: 1_000, groupAggregator: aggregator });
    await addToGroup(served, 'g');
    const types: string[] = [];
    await served.start((task) => types.push(task.type));
    await served.clock.advance(5_000);
    const [late] = aggregator.underWay;
    await served.clock.advance(140_000);
    late?.end(new Task('late'));
    await served.clock.advance(10_000);
    aggregator.underWay.at(-1)?.end(new Task('in time'));
    await served.clock.advance(5_000);
    expect(types).toEqual(['in time']);
  });
});

describe('a shutdown', () => {
  test('waits for aggregations under way', async () => {
    const aggregator = new HeldAggregator();
    await using served = new ServedQueue({
      groupGracePeriod: 1_000,
      groupAggregator: aggregator,
      shutdownTimeout: 8_000,
    });
    await addToGroup(served, 'g');
    await served.start(() => {});
    await served.clock.advance(5_000);
    const closed = served.server.shutdown();
    await addToGroup(served, 'later');
    await served.clock.advance(7_000);
    expect(served.server.status).toBe('stopped');
    aggregator.underWay[0]?.end(new Task('made', null, { taskId: 'made' }));
    await settled();
    await served.clock.advance(0);
    await closed;
    expect(served.stateOf('made')).toBe('pending');
    expect(served.broker.groupOf('default', 'later')).toHaveLength(1);
  });

  test('does not wait for a look at groups, and returns what a late claim brings', async () => {
    await using served = new ServedQueue({
      groupGracePeriod: 1_000,
      groupAggregator: counting({ taskId: 'made' }),
      shutdownTimeout: 3_600_000,
    });
    const { id } = await addToGroup(served, 'g');
    await served.clock.advance(2_000);
    served.broker.stall('claimGroup');
    await served.start(() => {});
    const closed = served.server.shutdown();
    await served.clock.advance(3_000);
    await closed;
    served.broker.heal();
    await settled();
    expect(served.broker.groupOf('default', 'g')).toEqual([id]);
    expect(served.stateOf('made')).toBeUndefined();
  });

  test('gives the tasks back when its time is over, and tells the aggregator', async () => {
    const aggregator = new HeldAggregator();
    await using served = new ServedQueue({
      groupGracePeriod: 1_000,
      groupAggregator: aggregator,
      shutdownTimeout: 8_000,
    });
    const { id } = await addToGroup(served, 'g');
    await served.start(() => {});
    await served.clock.advance(5_000);
    const closed = served.server.shutdown();
    await served.clock.advance(8_000);
    await closed;
    expect(aggregator.underWay[0]?.context.signal.reason).toMatchObject({ code: 'ASYNQ_CLOSED' });
    expect(served.broker.groupOf('default', 'g')).toEqual([id]);
    aggregator.underWay[0]?.end(new Task('late', null, { taskId: 'late' }));
    await settled();
    expect(served.stateOf('late')).toBeUndefined();
  });
});
