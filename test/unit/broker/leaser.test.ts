import { expect, test } from 'vitest';
import { Leaser } from '../../../src/broker/leaser.ts';
import { Settler } from '../../../src/broker/settler.ts';
import type { CallOptions, RedisRouter } from '../../../src/redis/router.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { taskMessage } from '../../support/task-messages.ts';

test.each([
  ['ten seconds', 60, 60_000, 10_000],
  ['a third of a short lease', 6, 6_000, 2_000],
  ['the end of the lease', 60, 700, 700],
])('an extension is waited for no longer than %s', async (_, leaseSeconds, left, timeout) => {
  const clock = new FakeClock();
  const asked: (CallOptions | undefined)[] = [];
  const router: Pick<RedisRouter, 'run'> = {
    run: async (...[, , , options]) => {
      asked.push(options);
      return [1];
    },
  };
  const settler = new Settler({ router, clock });
  const leaser = new Leaser({ router, clock, log: silentLogger, settler, leaseSeconds });
  const message = taskMessage({ queue: 'default' });
  const task = { queue: 'default', id: message.id, message, leaseExpiresAt: clock.now() + left };
  await leaser.extend([task]);
  expect(asked).toEqual([{ timeout }]);
  expect(task.leaseExpiresAt).toBe(clock.now() + leaseSeconds * 1000);
});
