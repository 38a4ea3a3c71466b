import { afterEach, expect, it } from 'vitest';
import { RedisBroker } from '../../../src/broker/redis-broker.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { encodeTaskMessage } from '../../../src/wire/task-message.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { goBroker } from '../../support/go-broker.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { taskMessage } from '../../support/task-messages.ts';
import { BEYOND } from './differences.ts';

/* Each difference that no sequence meets: what Go does, and what we do. */

const shown = new Set<string>();
afterEach(({ task }) => void shown.add(task.name));

const redis = rawCluster();
const { router, clock, second, lease, broker } = brokerOn(testCluster());
const go = await goBroker();
const now = () => clock.now();
const encoded = (message: Parameters<typeof encodeTaskMessage>[0]) =>
  Buffer.from(encodeTaskMessage(message)).toString('base64');

const fresh = () => {
  const queue = uniqueQueue();
  return { queue, keys: new QueueKeys(queue) };
};

/** A task that Go has leased. */
async function goLease(queue: string, fields: Partial<ReturnType<typeof taskMessage>> = {}): Promise<string> {
  const msg = encoded(taskMessage({ queue, ...fields }));
  await go.call('Enqueue', { queue, now: now(), msg });
  const { msg: taken } = (await go.call('Dequeue', { queue, now: now() })) as { msg: string };
  return taken;
}

it('a lease that has ended is taken over', async () => {
  const { queue } = fresh();
  await goLease(queue);
  const cutoff = now() + 31_000;
  const look = () => go.call('ListLeaseExpired', { queue, now: cutoff, at: cutoff }) as Promise<string[]>;
  expect([await look(), await look()]).toMatchObject([[expect.any(String)], [expect.any(String)]]);

  const ours = new RedisBroker({ router, clock: new FakeClock(cutoff), log: silentLogger });
  expect(await ours.listLeaseExpired(queue, cutoff)).toHaveLength(1);
  expect(await ours.listLeaseExpired(queue, cutoff)).toHaveLength(0);
});

it('what is settled is not settled again', async () => {
  const { queue } = fresh();
  const msg = await goLease(queue);
  await go.call('Done', { queue, now: now(), msg });
  await expect(go.call('Done', { queue, now: now(), msg })).rejects.toMatchObject({
    message: expect.stringContaining('NOT FOUND'),
  });
  const task = await lease({ queue });
  expect([await broker.settle(task, { kind: 'done' }), await broker.settle(task, { kind: 'done' })]).toEqual([
    true,
    false,
  ]);
});

it('a task that was lost while it ran is counted, and its lock is free', async () => {
  const { queue, keys } = fresh();
  const uniqueKey = keys.unique('test:task', new Uint8Array());
  const msg = await goLease(queue, { id: 'x', uniqueKey });
  await redis.set(uniqueKey, 'x');
  await redis.del(keys.task('x'));
  await expect(go.call('Done', { queue, now: now(), msg })).rejects.toThrow('NOT FOUND');
  expect(await redis.lrange(keys.active, 0, -1)).toEqual([]);
  expect([await redis.get(keys.processed), await redis.get(uniqueKey)]).toEqual([null, 'x']);

  const task = await lease({ queue, id: 'x', uniqueKey });
  await redis.del(keys.task('x'));
  expect(await broker.settle(task, { kind: 'done' })).toBe(true);
  expect([await redis.get(keys.processed), await redis.get(uniqueKey)]).toEqual(['1', null]);
});

it('counters begin anew at the very end', async () => {
  const { queue, keys } = fresh();
  const almost = (2n ** 63n - 500n).toString();
  await redis.set(keys.processed, almost);
  await redis.set(keys.failed, '7');
  await go.call('Retry', {
    queue,
    now: now(),
    msg: await goLease(queue),
    at: now(),
    error: 'x',
    isFailure: true,
  });
  expect([await redis.get(keys.processed), await redis.get(keys.failed)]).toEqual(['1', '1']);

  const fail = async () =>
    broker.settle(await lease({ queue }), { kind: 'retry', at: now(), error: 'x', isFailure: true });
  await redis.set(keys.processed, almost);
  await redis.set(keys.failed, '7');
  await fail();
  expect([await redis.get(keys.processed), await redis.get(keys.failed)]).toEqual([
    (2n ** 63n - 499n).toString(),
    '8',
  ]);
  await redis.set(keys.processed, (2n ** 63n - 1n).toString());
  await fail();
  expect([await redis.get(keys.processed), await redis.get(keys.failed)]).toEqual(['1', '9']);
});

it('one archive drops a bounded number', async () => {
  const { queue, keys } = fresh();
  const fill = async (): Promise<void> => {
    await redis.del(keys.archived);
    const entries = Array.from({ length: 12_000 }, (_, i) => [second() - 60, `old ${i}`]).flat();
    await redis.zadd(keys.archived, ...entries);
  };
  await fill();
  const archive = async () =>
    go.call('Archive', { queue, now: now(), msg: await goLease(queue), error: 'x' });
  await archive();
  expect(await redis.zcard(keys.archived)).toBe(9_999);
  await redis.zadd(keys.archived, ...Array.from({ length: 9_000 }, (_, i) => [second(), `more ${i}`]).flat());
  await expect(archive()).rejects.toThrow('too many results to unpack');

  await fill();
  await broker.settle(await lease({ queue }), { kind: 'archive', error: 'x' });
  expect(await redis.zcard(keys.archived)).toBe(12_001 - 101);
});

it('a message that cannot be read is archived', async () => {
  const { queue, keys } = fresh();
  await goLease(queue, { id: 'good' });
  await go.call('Enqueue', { queue, now: now(), msg: encoded(taskMessage({ queue, id: 'bad' })) });
  await redis.hset(keys.task('bad'), 'msg', 'not a message');
  await expect(go.call('Dequeue', { queue, now: now() })).rejects.toThrow('cannot decode message');
  expect(await redis.lrange(keys.active, 0, -1)).toEqual(['bad', 'good']);
  const later = now() + 61_000;
  await expect(go.call('ListLeaseExpired', { queue, now: later, at: later })).rejects.toThrow(
    'cannot decode',
  );

  const ours = new RedisBroker({ router, clock: new FakeClock(later), log: silentLogger });
  expect(await ours.listLeaseExpired(queue, later)).toMatchObject([{ id: 'good' }]);
  await expect.poll(() => redis.zscore(keys.archived, 'bad')).not.toBeNull();
});

it('a lease ends for its holder no later than in Redis', async () => {
  const { queue, keys } = fresh();
  await go.call('Enqueue', { queue, now: now(), msg: encoded(taskMessage({ queue, id: 'x' })) });
  const taken = (await go.call('Dequeue', { queue, now: now() })) as { leaseExpiresAt: number };
  expect(taken.leaseExpiresAt - Number(await redis.zscore(keys.lease, 'x')) * 1000).toBe(250);
  const task = await lease({ queue, id: 'y' });
  expect(task.leaseExpiresAt).toBe(Number(await redis.zscore(keys.lease, 'y')) * 1000);
});

it('a task that falls due goes to a group that is announced', async () => {
  const { queue, keys } = fresh();
  const msg = encoded(taskMessage({ queue, id: 'x' }));
  const failInGroup = async () => {
    await go.call('AddToGroup', { queue, now: now(), msg, group: 'g' });
    await go.call('RunTask', { queue, now: now(), id: 'x' });
    const { msg: taken } = (await go.call('Dequeue', { queue, now: now() })) as { msg: string };
    await go.call('Retry', { queue, now: now(), msg: taken, at: now(), error: 'x', isFailure: true });
  };
  await failInGroup();
  await go.call('ForwardIfReady', { queue, now: now() });
  expect(await redis.zrange(keys.group('g'), '0', '-1')).toEqual(['x']);
  expect(await redis.smembers(keys.groups)).toEqual([]);
  await redis.del(keys.group('g'), keys.task('x'));

  await failInGroup();
  expect(await broker.forward(queue)).toMatchObject({ moved: 1 });
  expect(await redis.zrange(keys.group('g'), '0', '-1')).toEqual(['x']);
  expect(await redis.smembers(keys.groups)).toEqual(['g']);
});

it('each is shown', () => {
  expect([...shown].toSorted()).toEqual(Object.keys(BEYOND).toSorted());
});
