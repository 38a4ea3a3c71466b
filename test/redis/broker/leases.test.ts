import { beforeEach, describe, expect, it } from 'vitest';
import type { LeasedTask } from '../../../src/broker/broker.ts';
import { RedisBroker } from '../../../src/broker/redis-broker.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { taskMessage } from '../../support/task-messages.ts';
import { until } from '../../support/until.ts';

const redis = rawCluster();
const { broker, router, clock, second, lease, logged } = brokerOn(testCluster());

let queue: string;
let keys: QueueKeys;
beforeEach(() => {
  queue = uniqueQueue();
  keys = new QueueKeys(queue);
});

async function leaseMany(count: number): Promise<LeasedTask[]> {
  const messages = Array.from({ length: count }, () => taskMessage({ queue }));
  await Promise.all(messages.map((message) => broker.enqueue({ message })));
  const tasks: LeasedTask[] = [];
  while (tasks.length < count) tasks.push(...(await broker.dequeue(queue, count)).tasks);
  return tasks;
}

it('leases of another length are taken, moved on and taken over with that length', async () => {
  const short = new RedisBroker({ router, clock, log: silentLogger, leaseSeconds: 5 });
  await broker.enqueue({ message: taskMessage({ queue, id: 'x' }) });
  const { tasks } = await short.dequeue(queue, 1);
  const ends = async () => Number(await redis.zscore(keys.lease, 'x')) - second();
  expect(await ends()).toBe(5);
  await clock.advance(2_000);
  await short.extendLeases(tasks);
  expect(await ends()).toBe(5);
  await clock.advance(6_000);
  expect(await short.listLeaseExpired(queue, clock.now())).toMatchObject([{ id: 'x' }]);
  expect(await ends()).toBe(5);
});

describe('extending leases', () => {
  it('moves on those that stand, in Redis and in the task, and brings back none', async () => {
    const [kept, gone, other] = (await leaseMany(3)) as [LeasedTask, LeasedTask, LeasedTask];
    await redis.zrem(keys.lease, gone.id);
    const ended = gone.leaseExpiresAt;
    await clock.advance(5_000);
    await broker.extendLeases([kept, gone]);
    expect((await dumpQueue(redis, queue)).lease).toEqual({
      [kept.id]: second() + 30,
      [other.id]: second() + 25,
    });
    expect(kept.leaseExpiresAt).toBe((second() + 30) * 1000);
    expect(gone.leaseExpiresAt).toBe(ended);
  });

  it('leaves alone what has ended by our clock: another may have it', async () => {
    const task = await lease({ queue });
    const before = await dumpQueue(redis, queue);
    await clock.advance(30_000);
    await broker.extendLeases([task]);
    expect(await dumpQueue(redis, queue)).toEqual(before);
  });

  it('leaves alone what another has taken over while the call was on its way', async () => {
    const task = await lease({ queue });
    const late = new RedisBroker({
      router: {
        ...router,
        run: async (...call) => {
          await redis.zadd(keys.lease, second() + 31, task.id);
          return await router.run(...call);
        },
      },
      clock,
      log: silentLogger,
    });
    const ended = task.leaseExpiresAt;
    await late.extendLeases([task]);
    expect((await dumpQueue(redis, queue)).lease).toEqual({ [task.id]: second() + 31 });
    expect(task.leaseExpiresAt).toBe(ended);
  });

  it('takes tasks of several queues, and more than one call does', async () => {
    const tasks = [...(await leaseMany(300)), await lease({ queue: uniqueQueue() })];
    await clock.advance(10_000);
    await broker.extendLeases(tasks);
    expect(new Set(tasks.map(({ leaseExpiresAt }) => leaseExpiresAt))).toEqual(
      new Set([(second() + 30) * 1000]),
    );
  });
});

describe('tasks whose lease has ended', () => {
  it('are taken over under a new lease, by one', async () => {
    const task = await lease({ queue });
    await clock.advance(31_000);
    const still = await lease({ queue });
    const [first, then] = [
      await broker.listLeaseExpired(queue, clock.now()),
      await broker.listLeaseExpired(queue, clock.now()),
    ];
    expect(first).toMatchObject([{ id: task.id, queue, leaseExpiresAt: (second() + 30) * 1000 }]);
    expect(then).toEqual([]);
    const dump = await dumpQueue(redis, queue);
    expect(dump.lease).toEqual({ [task.id]: second() + 30, [still.id]: second() + 30 });
    expect(dump.active).toContain(task.id);
  });

  it('are let be until the time that is asked for', async () => {
    await lease({ queue });
    await clock.advance(45_000);
    expect(await broker.listLeaseExpired(queue, clock.now() - 30_000)).toEqual([]);
    await clock.advance(15_000);
    expect(await broker.listLeaseExpired(queue, clock.now() - 30_000)).toHaveLength(1);
  });

  it('are all found, however many', async () => {
    const tasks = await leaseMany(600);
    await clock.advance(60_000);
    const found = await broker.listLeaseExpired(queue, clock.now());
    expect(found.map(({ id }) => id).toSorted()).toEqual(tasks.map(({ id }) => id).toSorted());
  });

  it('and of which nothing is left are removed, as the ghosts that Go leaves', async () => {
    await redis.lpush(keys.active, 'ghost', 'vanished');
    await redis.zadd(keys.lease, second() - 60, 'ghost', second() - 60, 'vanished');
    await redis.hset(keys.task('ghost'), 'state', 'active');
    expect(await broker.listLeaseExpired(queue, clock.now())).toEqual([]);
    expect(await dumpQueue(redis, queue)).toMatchObject({ active: [], lease: {} });
    expect(await redis.exists(keys.task('ghost'))).toBe(0);
    expect(logged.at(-1)).toMatchObject({ level: 'warn', fields: { queue, taskIds: ['ghost', 'vanished'] } });
  });

  it('and whose message does not decode are archived', async () => {
    const task = await lease({ queue });
    await redis.hset(keys.task(task.id), 'msg', Buffer.from([0xff]));
    await clock.advance(60_000);
    expect(await broker.listLeaseExpired(queue, clock.now())).toEqual([]);
    await until(() => redis.zscore(keys.archived, task.id));
    expect(await dumpQueue(redis, queue)).toMatchObject({ active: [], lease: {} });
  });
});
