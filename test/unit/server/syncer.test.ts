import { describe, expect, test } from 'vitest';
import { settled } from '../../support/fake-clock.ts';
import { ServedQueue } from '../../support/served-queue.ts';

describe('an outcome that cannot be written', () => {
  test('is written as soon as Redis is back, and the task is not run again', async () => {
    await using served = new ServedQueue();
    const [id = ''] = await served.add({});
    let runs = 0;
    served.broker.breakDown('settle');
    await served.start(() => void runs++);
    await served.clock.advance(15_000);
    expect(served.stateOf(id)).toBe('active');
    served.broker.heal();
    await served.clock.advance(5_000);
    expect(served.stateOf(id)).toBeUndefined();
    await served.clock.advance(120_000);
    expect(runs).toBe(1);
  });

  test('is tried at a growing distance', async () => {
    await using served = new ServedQueue();
    await served.add({});
    served.broker.breakDown('settle');
    await served.start(() => {});
    await served.clock.advance(25_000);
    const tries = served.broker.calls.filter(({ call }) => call === 'settle').length;
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(15);
  });

  test('is given up with its lease, and the task comes back to be run again', async () => {
    const outcomes: string[] = [];
    await using served = new ServedQueue({
      retryDelay: () => 0,
      observer: { settled: (_, outcome) => outcomes.push(outcome) },
    });
    const [id = ''] = await served.add({});
    let runs = 0;
    await served.start(() => {
      runs++;
      if (runs === 1) served.broker.breakDown('settle');
    });
    await served.clock.advance(45_000);
    expect(outcomes).toEqual(['lost']);
    served.broker.heal();
    await served.clock.advance(60_000);
    expect(runs).toBe(2);
    expect(served.stateOf(id)).toBeUndefined();
    expect(outcomes).toEqual(['lost', 'retry', 'done']);
  });

  test('is tried once more at the end', async () => {
    await using served = new ServedQueue();
    const [id = ''] = await served.add({});
    served.broker.breakDown('settle');
    await served.start(() => {});
    await settled();
    const closed = served.server.shutdown();
    served.broker.heal();
    await settled();
    await closed;
    expect(served.stateOf(id)).toBeUndefined();
  });
});
