import { describe, expect, it } from 'vitest';
import type { AsynqError } from '../../../src/runtime/errors.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { rawCluster, testCluster, testRedis, uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';

const redis = rawCluster();
const clock = new FakeClock(Math.floor(Date.now() / 1000) * 1000 + 250);
const client = new Client(testRouter(), { clock });
const second = Math.floor(clock.now() / 1000);

describe('a client', () => {
  it('enqueues a task and says what became of it', async () => {
    const queue = uniqueQueue('notificaciones');
    const task = new Task('notificaciones:email', { para: 123, de: 456 }, { headers: { trace: '1' } });
    const deadline = new Date(clock.now() + 60_000);
    const info = await client.enqueue(task, {
      queue,
      taskId: 'mine',
      maxRetry: 3,
      deadline,
      retentionSeconds: 60,
    });
    expect(info).toMatchObject({
      id: 'mine',
      queue,
      type: 'notificaciones:email',
      headers: { trace: '1' },
      state: 'pending',
      maxRetry: 3,
      retried: 0,
      lastErr: '',
      lastFailedAt: undefined,
      timeoutSeconds: 0,
      deadline: new Date(Math.floor(deadline.getTime() / 1000) * 1000),
      group: '',
      nextProcessAt: new Date(clock.now()),
      isOrphaned: false,
      retentionSeconds: 60,
      completedAt: undefined,
      result: undefined,
    });
    expect(info.payload.getInt('para')).toBe(123);
    const { pending, tasks } = await dumpQueue(redis, queue);
    expect(pending).toEqual(['mine']);
    expect(tasks['mine']).toMatchObject({
      state: 'pending',
      message: { type: 'notificaciones:email', retry: 3, retention: 60, headers: { trace: '1' } },
    });
  });

  it('schedules, and groups', async () => {
    const queue = uniqueQueue();
    const later = await client.enqueue(new Task('t'), { queue, processInSeconds: 90 });
    const grouped = await client.enqueue(new Task('t'), { queue, group: 'g' });
    expect(later).toMatchObject({ state: 'scheduled', nextProcessAt: new Date(clock.now() + 90_000) });
    expect(grouped).toMatchObject({ state: 'aggregating', group: 'g', nextProcessAt: undefined });
    expect(await dumpQueue(redis, queue)).toMatchObject({
      scheduled: { [later.id]: second + 90 },
      groups: { g: { [grouped.id]: second } },
    });
  });

  it('lets a unique task in once, by queue, type and payload', async () => {
    const queue = uniqueQueue();
    const enqueue = (type: string, payload: object | null, other = queue) =>
      client.enqueue(new Task(type, payload), { queue: other, uniqueSeconds: 60 });
    const first = await enqueue('t', { a: 1 });
    await expect(enqueue('t', { a: 1 })).rejects.toMatchObject({ code: 'ASYNQ_DUPLICATE_TASK' });
    await enqueue('t', { a: 2 });
    await enqueue('t', null);
    await enqueue('u', { a: 1 });
    await enqueue('t', { a: 1 }, uniqueQueue());
    const lock = new QueueKeys(queue).unique('t', Buffer.from('{"a":1}'));
    expect(await redis.get(lock)).toBe(first.id);
  });

  it.each([
    [{}, 60],
    [{ processInSeconds: 90 }, 150],
  ])('holds the lock of a unique task from now until after its time: %o', async (when, seconds) => {
    const queue = uniqueQueue();
    const task = new Task('t');
    await client.enqueue(task, { queue, uniqueSeconds: 60, ...when });
    expect(await redis.ttl(new QueueKeys(queue).unique('t', null))).toBeOneOf([seconds - 1, seconds]);
  });

  it('refuses an id that is taken', async () => {
    const queue = uniqueQueue();
    await client.enqueue(new Task('t'), { queue, taskId: 'x' });
    await expect(client.enqueue(new Task('t'), { queue, taskId: 'x' })).rejects.toMatchObject({
      code: 'ASYNQ_TASK_ID_CONFLICT',
    });
    await client.enqueue(new Task('t'), { queue: uniqueQueue(), taskId: 'x' });
  });

  it('refuses what cannot be before it writes anything', async () => {
    const queue = uniqueQueue();
    await expect(client.enqueue(new Task(' '), { queue })).rejects.toMatchObject({
      code: 'ASYNQ_TASK_TYPE_BLANK',
    });
    await expect(client.enqueue(new Task('a\ud800'), { queue })).rejects.toMatchObject({
      code: 'ASYNQ_OPTION_INVALID',
    });
    expect(await redis.sismember('asynq:queues', queue)).toBe(0);
  });

  it('enqueues many at once, each on its own account', async () => {
    const queue = uniqueQueue();
    const tasks = Array.from(
      { length: 200 },
      (_, n) => new Task('t', { n }, n === 7 ? { taskId: 'bad\ud800' } : {}),
    );
    const results = await client.enqueueMany(tasks, { queue });
    expect(results.map(({ status }) => status).filter((status) => status === 'rejected')).toHaveLength(1);
    expect(results[7]).toMatchObject({ reason: { code: 'ASYNQ_OPTION_INVALID' } });
    const ids = results.map((result) => (result.status === 'fulfilled' ? result.value.id : undefined));
    expect((await dumpQueue(redis, queue)).pending.toReversed()).toEqual(ids.filter(Boolean));
  });

  it('enqueues many from a generator, into all kinds of places, and reports who was taken for another', async () => {
    const [one, two] = [uniqueQueue(), uniqueQueue()];
    function* tasks() {
      yield new Task('t', { n: 1 }, { queue: one, taskId: 'a' });
      yield new Task('t', { n: 2 }, { queue: two, uniqueSeconds: 60 });
      yield new Task(' ', null, { queue: one });
      yield new Task('t', { n: 3 }, { queue: one, processInSeconds: 90, taskId: 'later' });
      yield new Task('t', { n: 4 }, { queue: one, group: 'g', taskId: 'grouped' });
      yield new Task('t', { n: 2 }, { queue: two, uniqueSeconds: 60 });
      yield new Task('t', { n: 1 }, { queue: one, taskId: 'a' });
      yield new Task('t', { n: 5 }, { queue: one, taskId: 'b' });
    }
    const results = await client.enqueueMany(tasks());
    expect(
      results.map((result) =>
        result.status === 'fulfilled' ? result.value.state : (result.reason as AsynqError).code,
      ),
    ).toEqual([
      'pending',
      'pending',
      'ASYNQ_TASK_TYPE_BLANK',
      'scheduled',
      'aggregating',
      'ASYNQ_DUPLICATE_TASK',
      'ASYNQ_TASK_ID_CONFLICT',
      'pending',
    ]);
    expect(results[3]).toMatchObject({ value: { nextProcessAt: new Date(clock.now() + 90_000) } });
    const { pending, scheduled, groups } = await dumpQueue(redis, one);
    expect({ pending, scheduled, groups }).toEqual({
      pending: ['b', 'a'],
      scheduled: { later: second + 90 },
      groups: { g: { grouped: second } },
    });
    expect((await dumpQueue(redis, two)).pending).toHaveLength(1);
  });

  it('pings', async () => {
    await expect(client.ping()).resolves.toBeUndefined();
  });
});

describe('the connection of a client', () => {
  it('is one to a standalone server, too', async () => {
    await using standalone = new Client(testRedis());
    const info = await standalone.enqueue(new Task('t'), { queue: uniqueQueue() });
    expect(info.state).toBe('pending');
  });

  it('ends with the client, which then refuses to work', async () => {
    const closed = new Client(testCluster());
    await closed.ping();
    await closed.close();
    await closed.close();
    await expect(closed.enqueue(new Task('t'))).rejects.toMatchObject({ code: 'ASYNQ_CLOSED' });
    expect(await closed.enqueueMany([new Task('t')])).toMatchObject([{ reason: { code: 'ASYNQ_CLOSED' } }]);
    await expect(closed.ping()).rejects.toMatchObject({ code: 'ASYNQ_CLOSED' });
  });

  it('stays open when it is shared', async () => {
    const router = testRouter();
    const [one, two] = [new Client(router), new Client(router)];
    await one.close();
    await expect(one.enqueue(new Task('t'))).rejects.toMatchObject({ code: 'ASYNQ_CLOSED' });
    const queue = uniqueQueue();
    expect(await two.enqueue(new Task('t'), { queue })).toMatchObject({ queue });
  });

  it.each([
    ['the password is wrong', { addrs: testCluster().addrs, password: 'wrong' }, 'ASYNQ_REDIS_AUTH'],
    ['there is no cluster', { addrs: [testRedis().addr] }, 'ASYNQ_REDIS_NOT_A_CLUSTER'],
  ])(
    'fails with an error that says why: %s',
    async (_, options, code) => {
      await using lost = new Client(options, { log: silentLogger });
      await expect(lost.enqueue(new Task('t'), { queue: uniqueQueue() })).rejects.toMatchObject({ code });
    },
    15_000,
  );
});
