import { expect, it } from 'vitest';
import { RedisBroker } from '../../../src/broker/redis-broker.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { QUEUES_KEY } from '../../../src/wire/keys.ts';
import { LEASE_GRACE_SECONDS, LEASE_SECONDS } from '../../../src/wire/limits.ts';
import { encodeTaskMessage } from '../../../src/wire/task-message.ts';
import { goBroker } from '../../support/go-broker.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { taskMessage } from '../../support/task-messages.ts';

/* What others leave behind, and how long it lies there: with Go, and with us. The differential test shows the rest. */

const go = await goBroker();
const redis = rawCluster();
const { router, clock, enqueue, broker } = brokerOn(testCluster());

const encoded = (queue: string, id: string) =>
  Buffer.from(encodeTaskMessage(taskMessage({ queue, id }))).toString('base64');

it('a queue that was taken off the list comes back; with Go it stays away', async () => {
  const queue = uniqueQueue();
  const goEnqueue = (id: string) => go.call('Enqueue', { queue, now: clock.now(), msg: encoded(queue, id) });
  await goEnqueue('a');
  await redis.srem(QUEUES_KEY, queue);
  await clock.advance(3_600_000);
  await goEnqueue('b');
  expect(await redis.sismember(QUEUES_KEY, queue)).toBe(0);

  await enqueue({ queue });
  await redis.srem(QUEUES_KEY, queue);
  await clock.advance(61_000);
  await enqueue({ queue });
  await expect.poll(() => redis.sismember(QUEUES_KEY, queue)).toBe(1);
});

it('a task of a dead worker lies a minute with Go, and as long as one says with us', async () => {
  const queue = uniqueQueue();
  await enqueue({ queue, id: 'x' });
  await go.call('Dequeue', { queue, now: clock.now() });
  // Go's recoverer, which looks each minute, takes what has ended half a minute ago.
  const goLook = (seconds: number) => {
    const now = clock.now() + seconds * 1000;
    return go.call('ListLeaseExpired', { queue, now, at: now - 30_000 });
  };
  expect(LEASE_SECONDS + LEASE_GRACE_SECONDS).toBe(60);
  expect(await goLook(59)).toEqual([]);
  expect(await goLook(61)).toHaveLength(1);

  const short = new RedisBroker({ router, clock, log: silentLogger, leaseSeconds: 5 });
  const other = uniqueQueue();
  await enqueue({ queue: other, id: 'x' });
  await short.dequeue(other, 1);
  await clock.advance(10_000);
  expect(await broker.listLeaseExpired(other, clock.now() - 5_000)).toMatchObject([{ id: 'x' }]);
});
