import { describe, expect, test } from 'vitest';
import { ServedQueue } from '../../support/served-queue.ts';

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
    await served.clock.advance(0);
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
