import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sleepUntil } from '../../../src/server/forwarder.ts';
import { ServedQueue } from '../../support/served-queue.ts';
import { taskMessage } from '../../support/task-messages.ts';

describe('a scheduled task', () => {
  test('that is known starts in the moment it falls due, however seldom others are looked for', async () => {
    await using served = new ServedQueue({ delayedTaskCheckInterval: 60_000, taskCheckInterval: 600_000 });
    served.broker.breakDown('awaitPending');
    const due = Math.ceil(served.clock.now() / 1000) * 1000 + 90_000;
    await served.broker.enqueue({ message: taskMessage({ queue: 'default' }), processAt: due });
    const started: number[] = [];
    await served.start(() => void started.push(served.clock.now()));
    await served.clock.advance(120_000);
    expect(started).toEqual([due]);
  });

  test('that a client adds meanwhile starts within the interval', async () => {
    await using served = new ServedQueue({ delayedTaskCheckInterval: 1_000 });
    const started: number[] = [];
    await served.start(() => void started.push(served.clock.now()));
    await served.clock.advance(10_500);
    const due = Math.ceil(served.clock.now() / 1000) * 1000;
    await served.broker.enqueue({ message: taskMessage({ queue: 'default' }), processAt: due });
    await served.clock.advance(5_000);
    expect(started).toHaveLength(1);
    expect((started[0] ?? 0) - due).toBeLessThanOrEqual(1_000);
  });

  test('of a queue that cannot be read waits alone', async () => {
    await using served = new ServedQueue({ queues: { bad: 1, default: 1 } });
    served.broker.stall('forward bad');
    const started: string[] = [];
    await served.start((task) => started.push(task.type));
    const processAt = served.clock.now() + 2_000;
    for (const queue of ['bad', 'default']) {
      await served.broker.enqueue({ message: taskMessage({ queue, type: queue }), processAt });
    }
    await served.clock.advance(5_000);
    expect(started).toEqual(['default']);
    served.broker.heal();
    await served.clock.advance(5_000);
    expect(started).toEqual(['default', 'bad']);
  });
});

test('the sleep ends with the due second, within its bounds', () => {
  fc.assert(
    fc.property(fc.option(fc.nat(10_000)), fc.nat(10_000_000), fc.nat(60_000), (due, now, longest) => {
      const sleep = sleepUntil(due ?? undefined, now, longest);
      expect(sleep).toBeGreaterThanOrEqual(0);
      expect(sleep).toBeLessThanOrEqual(longest);
      const wakesAt = due === null ? now + longest : Math.min(now + longest, Math.max(now, due * 1000));
      expect(now + sleep).toBe(wakesAt);
    }),
  );
});
