import { describe, expect, test } from 'vitest';
import { AsynqError, errorText } from '../../../src/runtime/errors.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import type { Attempt } from '../../../src/server/handler.ts';
import { Server } from '../../../src/server/server.ts';
import type { Task } from '../../../src/tasks/task.ts';
import { HeldHandler, ServedQueue } from '../../support/served-queue.ts';
import { taskMessage } from '../../support/task-messages.ts';

describe('the recoverer', () => {
  test('brings back the tasks of a worker that died, half a minute after their lease', async () => {
    await using served = new ServedQueue({ retryDelay: () => 0 });
    const [id = ''] = await served.add({});
    await served.broker.dequeue('default', 1); // and dies
    const started: number[] = [];
    await served.start((_, { retried }) => void started.push(served.clock.now(), retried));
    const start = served.clock.now();
    await served.clock.advance(59_000);
    expect(started).toEqual([]);
    await served.clock.advance(20_000);
    expect(started).toEqual([expect.any(Number), 1]);
    expect((started[0] ?? 0) - start).toBeLessThanOrEqual(76_000);
    expect(served.stateOf(id)).toBeUndefined();
  });

  test('archives them when their retries are used up', async () => {
    await using served = new ServedQueue();
    const [id = ''] = await served.add({ retry: 3, retried: 3 });
    await served.broker.dequeue('default', 1);
    await served.start(() => {});
    await served.clock.advance(80_000);
    expect(served.stateOf(id)).toBe('archived');
    expect(served.messageOf(id)?.errorMsg).toBe('asynq: task lease expired');
  });

  test('of several servers tells one error handler of a lost task, once', async () => {
    const heard: unknown[] = [];
    const config = {
      errorHandler: (error: unknown, _: Task, { taskId }: Attempt) => heard.push([taskId, errorText(error)]),
      retryDelay: () => 3_600_000,
    };
    await using served = new ServedQueue(config);
    const second = new Server(served.broker, { ...config, clock: served.clock, log: silentLogger });
    const [id = ''] = await served.add({});
    await served.broker.dequeue('default', 1);
    await served.start(() => {});
    second.start(() => {});
    await served.clock.advance(55_000);
    served.broker.breakDown('settle');
    await served.clock.advance(20_000);
    served.broker.heal();
    await served.clock.advance(120_000);
    expect(heard).toEqual([[id, 'asynq: task lease expired']]);
    expect(served.stateOf(id)).toBe('retry');
    const closed = second.shutdown();
    await served.clock.advance(10_000);
    await closed;
  });

  test('brings them back sooner where leases are short', async () => {
    await using served = new ServedQueue({ leaseDuration: 6_000, retryDelay: () => 0 });
    served.broker.leaseSeconds = 6;
    const handler = new HeldHandler();
    await served.add({ type: 'lost' });
    await served.broker.dequeue('default', 1);
    await served.start(handler);
    await served.clock.advance(18_000);
    expect(handler.running).toHaveLength(1);
    await served.clock.advance(60_000);
    expect(handler.running[0]?.signal.aborted).toBe(false);
    await handler.endAll();
  });

  test("need not count as an attempt: what counts is the user's to say", async () => {
    await using served = new ServedQueue({
      isFailure: (error) => !AsynqError.is(error, 'ASYNQ_LEASE_EXPIRED'),
      retryDelay: (_, error) => (AsynqError.is(error, 'ASYNQ_LEASE_EXPIRED') ? 0 : 60_000),
    });
    await served.add({ retry: 1 });
    await served.broker.dequeue('default', 1);
    const attempts: number[] = [];
    await served.start((_, { retried }) => void attempts.push(retried));
    await served.clock.advance(80_000);
    expect(attempts).toEqual([0]);
  });

  test('gives back the tasks of an aggregator that died', async () => {
    await using served = new ServedQueue();
    const message = taskMessage({ queue: 'default' });
    await served.broker.enqueue({ message, group: 'g' });
    await served.broker.claimGroup('default', 'g', { gracePeriod: 1_000, maxDelay: 0, maxSize: 1 });
    await served.start(() => {});
    await served.clock.advance(119_000);
    expect(served.broker.groupOf('default', 'g')).toEqual([]);
    await served.clock.advance(16_000);
    expect(served.broker.groupOf('default', 'g')).toEqual([message.id]);
  });

  test('tries again when Redis was away', async () => {
    await using served = new ServedQueue();
    const [id = ''] = await served.add({});
    await served.broker.dequeue('default', 1);
    await served.start(() => {});
    served.broker.breakDown('listLeaseExpired');
    await served.clock.advance(90_000);
    expect(served.stateOf(id)).toBe('active');
    served.broker.heal();
    await served.clock.advance(15_000);
    expect(served.stateOf(id)).toBe('retry');
  });
});

describe('the janitor', () => {
  test('deletes in batches until nothing is over', async () => {
    await using served = new ServedQueue({ janitorBatchSize: 2, janitorInterval: 8_000 });
    const ids = await served.add(...Array.from({ length: 5 }, () => ({ retention: 1 })));
    await served.start(() => {});
    expect(ids.map((id) => served.stateOf(id))).toEqual(ids.map(() => 'completed'));
    await served.clock.advance(8_000);
    expect(ids.map((id) => served.stateOf(id))).toEqual(ids.map(() => undefined));
  });
});

describe('the health check', () => {
  test('tells the error of each ping, or that there was none', async () => {
    const heard: unknown[] = [];
    await using served = new ServedQueue({
      healthCheck: (error) => heard.push(error),
      healthCheckInterval: 15_000,
    });
    await served.start(() => {});
    await served.clock.advance(15_000);
    served.broker.breakDown('ping');
    await served.clock.advance(15_000);
    expect(heard).toEqual([undefined, expect.objectContaining({ code: 'ASYNQ_REDIS_UNREACHABLE' })]);
  });

  test('that throws is asked again', async () => {
    let asked = 0;
    await using served = new ServedQueue({
      healthCheck: () => {
        asked++;
        throw new Error('a bug');
      },
    });
    await served.start(() => {});
    await served.clock.advance(45_000);
    expect(asked).toBe(3);
  });
});

describe('the subscriber', () => {
  test('subscribes again when the subscription failed for good', async () => {
    await using served = new ServedQueue();
    served.broker.breakDown('subscribeCancel');
    await served.start(() => new Promise(() => {}));
    const [id = ''] = await served.add({});
    served.broker.heal();
    await served.clock.advance(5_000);
    await served.broker.publishCancel(id);
    await served.clock.advance(10_000);
    expect(served.stateOf(id)).toBe('retry');
  });
});

describe('an observer', () => {
  test('hears of handlers and outcomes, and cannot hurt', async () => {
    const heard: unknown[] = [];
    await using served = new ServedQueue({
      observer: {
        handled: (queue, durationMs) => heard.push([queue, durationMs]),
        settled: (queue, outcome) => {
          heard.push([queue, outcome]);
          throw new Error('a bug');
        },
      },
    });
    const ids = await served.add({}, {});
    await served.start(() => served.clock.block(5));
    expect(heard).toEqual([
      ['default', 5],
      ['default', 5],
      ['default', 'done'],
      ['default', 'done'],
    ]);
    expect(ids.map((id) => served.stateOf(id))).toEqual([undefined, undefined]);
  });
});
