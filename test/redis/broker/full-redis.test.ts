import { afterAll, expect, it } from 'vitest';
import type { LeasedTask, Settlement } from '../../../src/broker/broker.ts';
import { Inspector } from '../../../src/tasks/inspector.ts';
import { startRedis } from '../../lab/redis-server.ts';
import { uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { taskMessage } from '../../support/task-messages.ts';

const server = await startRedis();
afterAll(() => server.stop());
const { broker, router, clock, second } = brokerOn({ addr: server.addr });

it('a Redis that is full takes no task, and can be drained', async () => {
  const queue = uniqueQueue();
  const enqueue = (how: { processAt?: number; group?: string } = {}) =>
    broker.enqueue({ message: taskMessage({ queue, retention: 60 }), ...how });
  for (let n = 0; n < 6; n++) await enqueue();
  await enqueue({ processAt: clock.now() + 1_000 });
  await enqueue({ group: 'g' });
  await router.command('', 'CONFIG', ['SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction']);

  await expect(enqueue()).rejects.toMatchObject({
    code: 'ASYNQ_REDIS_COMMAND',
    message: expect.stringContaining('OOM'),
  });
  const { tasks } = await broker.dequeue(queue, 6);
  await broker.extendLeases(tasks);
  await broker.writeResult(queue, tasks[0]?.id ?? '', Buffer.from('result'));
  const settlements: Settlement[] = [
    { kind: 'done' },
    { kind: 'revoke' },
    { kind: 'retry', at: clock.now() + 60_000, error: 'x', isFailure: true },
    { kind: 'archive', error: 'x' },
    { kind: 'requeue' },
  ];
  for (const [index, settlement] of settlements.entries()) {
    expect(await broker.settle(tasks[index] as LeasedTask, settlement)).toBe(true);
  }
  await clock.advance(31_000);
  expect(await broker.forward(queue)).toEqual({ moved: 1, nextDue: second() + 29 });
  expect(await broker.listLeaseExpired(queue, clock.now())).toMatchObject([{ id: tasks[5]?.id }]);
  await clock.advance(60_000);
  expect(await broker.deleteExpiredCompleted(queue, 10)).toBe(1);

  const policy = { gracePeriod: 1_000, maxDelay: 0, maxSize: 0 };
  expect((await broker.readyGroups(queue, policy, 'me'))?.ready).toEqual(['g']);
  const failed = await broker.claimGroup(queue, 'g', policy);
  expect(failed && (await broker.returnToGroup(failed))).toBe(1);
  const set = await broker.claimGroup(queue, 'g', policy);
  expect(set && (await broker.finishAggregation(set, { message: taskMessage({ queue }) }))).toBe(true);
});

it('a Redis that is full can be tidied up', async () => {
  await router.command('', 'CONFIG', ['SET', 'maxmemory', '0']);
  const queue = uniqueQueue();
  const inspector = new Inspector(router, { clock });
  for (let n = 0; n < 4; n++) {
    const message = taskMessage({ queue, id: `scheduled-${n}` });
    await broker.enqueue({ message, processAt: clock.now() + 60_000 });
    await broker.enqueue({ message: taskMessage({ queue }) });
  }
  await router.command('', 'CONFIG', ['SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction']);
  expect((await inspector.getQueueInfo(queue)).size).toBe(8);
  await inspector.runTask(queue, 'scheduled-0');
  await inspector.archiveTask(queue, 'scheduled-1');
  expect(await inspector.runAllScheduledTasks(queue)).toBe(2);
  expect(await inspector.archiveAllPendingTasks(queue)).toBe(7);
  await inspector.deleteTask(queue, 'scheduled-1');
  await inspector.pauseQueue(queue);
  await inspector.unpauseQueue(queue);
  await inspector.deleteQueue(queue, { force: true });
  expect(await router.command('', 'KEYS', [`*${queue}*`])).toEqual([]);
});
