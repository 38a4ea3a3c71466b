import { describe, expect, it } from 'vitest';
import type { Settlement } from '../../../src/broker/broker.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { GoPeer } from '../../support/go-peer.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn, HURTING_NAMES } from '../../support/redis-broker.ts';

/* What we write in each state, as Go's inspector reads it, and what its operations do to it. */

const redis = rawCluster();
const go = await GoPeer.on({ ...testCluster(), cluster: true });
const { broker, router, clock, second, lease } = brokerOn(testCluster());
const client = new Client(router, { clock });

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe("Go's inspector reads", () => {
  it.each(['notificaciones', 'webhooks', 'imágenes', ...HURTING_NAMES])(
    'a pending task with all its options: %j',
    async (name) => {
      const queue = uniqueQueue(name);
      const deadline = new Date((second() + 600) * 1000);
      await client.enqueue(new Task(`${name}:do`, { datos: 123 }), {
        queue,
        taskId: name,
        maxRetry: 7,
        timeoutSeconds: 90,
        deadline,
        retentionSeconds: 3_600,
        headers: { [name]: name },
      });
      expect(await go.tasks(queue, 'pending')).toMatchObject([
        {
          id: name,
          queue,
          type: `${name}:do`,
          payload: base64('{"datos":123}'),
          headers: { [name]: name },
          state: 'pending',
          maxRetry: 7,
          retried: 0,
          timeoutSeconds: 90,
          deadline: second() + 600,
          retentionSeconds: 3_600,
        },
      ]);
      expect(await go.queue(queue)).toMatchObject({ Queue: queue, Size: 1, Pending: 1, Paused: false });
    },
  );

  it('scheduled and grouped tasks', async () => {
    const queue = uniqueQueue();
    const later = await client.enqueue(new Task('t'), { queue, processInSeconds: 90 });
    const grouped = await client.enqueue(new Task('t'), { queue, group: 'a: b' });
    expect(await go.tasks(queue, 'scheduled')).toMatchObject([
      { id: later.id, state: 'scheduled', nextProcessAt: second() + 90 },
    ]);
    expect(await go.tasks(queue, 'aggregating', 'a: b')).toMatchObject([
      { id: grouped.id, state: 'aggregating', group: 'a: b' },
    ]);
    expect(await go.queue(queue)).toMatchObject({ Size: 2, Scheduled: 1, Aggregating: 1, Groups: 1 });
  });

  it('active tasks, and those whose worker is gone', async () => {
    const queue = uniqueQueue();
    const task = await lease({ queue });
    expect(await go.tasks(queue, 'active')).toMatchObject([
      { id: task.id, state: 'active', isOrphaned: false },
    ]);
    await redis.zadd(new QueueKeys(queue).lease, second() - 1, task.id);
    expect(await go.tasks(queue, 'active')).toMatchObject([{ id: task.id, isOrphaned: true }]);
  });

  it.each<[string, Settlement, object]>([
    [
      'retry',
      { kind: 'retry', at: clock.now() + 90_000, error: 'no route — 📷', isFailure: true },
      { retried: 1, lastErr: 'no route — 📷', lastFailedAt: second(), nextProcessAt: second() + 90 },
    ],
    ['archived', { kind: 'archive', error: 'hopeless' }, { lastErr: 'hopeless', lastFailedAt: second() }],
    [
      'completed',
      { kind: 'done' },
      { completedAt: second(), retentionSeconds: 60, result: base64('result') },
    ],
  ])('%s tasks', async (state, settlement, expected) => {
    const queue = uniqueQueue();
    const task = await lease({ queue, retention: 60 });
    await broker.writeResult(queue, task.id, Buffer.from('result'));
    await broker.settle(task, settlement);
    expect(await go.tasks(queue, state)).toMatchObject([{ id: task.id, state, ...expected }]);
    expect(await go.task(queue, task.id)).toMatchObject({ id: task.id, state, ...expected });
    expect(await go.queue(queue)).toMatchObject({
      Size: 1,
      Processed: 1,
      Failed: state === 'completed' ? 0 : 1,
    });
  });

  it('a message that we could not read', async () => {
    const queue = uniqueQueue();
    const { id } = await client.enqueue(new Task('t'), { queue });
    await redis.hset(new QueueKeys(queue).task(id), 'msg', Buffer.from('not a message'));
    await broker.dequeue(queue, 1);
    await expect
      .poll(() => go.tasks(queue, 'archived'))
      .toMatchObject([
        {
          id,
          type: 'asynq:unreadable',
          payload: base64('not a message'),
          lastErr: expect.stringContaining('expected a task message'),
        },
      ]);
  });

  it('a server and what it works on', async () => {
    const queue = uniqueQueue();
    const serverId = crypto.randomUUID();
    const task = await lease({ queue, payload: Buffer.from('p') });
    const state = {
      host: 'our-host',
      pid: 77,
      serverId,
      concurrency: 9,
      queues: { [queue]: 3 },
      strictPriority: true,
      status: 'active' as const,
      startedAt: clock.now(),
      workers: [{ task, startedAt: clock.now(), deadline: clock.now() + 60_000 }],
    };
    await broker.writeServerState(state, 60);
    const [servers] = (await go.run(['inspect', 'servers'])) as [{ ID: string }[]];
    expect(servers.find(({ ID }) => ID === serverId)).toMatchObject({
      Host: 'our-host',
      PID: 77,
      Concurrency: 9,
      Queues: { [queue]: 3 },
      StrictPriority: true,
      Status: 'active',
      ActiveWorkers: [
        { TaskID: task.id, TaskType: task.message.type, TaskPayload: base64('p'), Queue: queue },
      ],
    });
    await broker.clearServerState(state);
  });
});

describe("Go's inspector", () => {
  it('runs a task that we archived, and we take it', async () => {
    const queue = uniqueQueue();
    const task = await lease({ queue });
    await broker.settle(task, { kind: 'archive', error: 'x' });
    await go.run(['inspect', 'run', queue, task.id]);
    const { tasks } = await broker.dequeue(queue, 5);
    expect(tasks).toMatchObject([{ id: task.id, message: { errorMsg: 'x' } }]);
    expect(await broker.settle(tasks[0] ?? task, { kind: 'done' })).toBe(true);
  });

  it('archives a task of ours, and deletes one with its lock, be it in a group', async () => {
    const queue = uniqueQueue();
    const pending = await client.enqueue(new Task('t'), { queue });
    await go.run(['inspect', 'archive', queue, pending.id]);
    expect((await dumpQueue(redis, queue)).archived).toHaveProperty([pending.id]);
    for (const group of [{}, { group: 'g' }]) {
      const unique = await client.enqueue(new Task('u'), { queue, uniqueSeconds: 600, ...group });
      await go.run(['inspect', 'delete', queue, unique.id]);
      expect(await redis.exists(new QueueKeys(queue).unique('u', null))).toBe(
        group.group === undefined ? 0 : 0,
      );
    }
    expect(Object.keys((await dumpQueue(redis, queue)).tasks)).toEqual([pending.id]);
  });

  it('pauses a queue, and we take nothing from it', async () => {
    const queue = uniqueQueue();
    await client.enqueue(new Task('t'), { queue });
    await go.run(['inspect', 'pause', queue]);
    expect(await broker.dequeue(queue, 1)).toEqual({ tasks: [], reason: 'paused' });
    await go.run(['inspect', 'unpause', queue]);
    expect((await broker.dequeue(queue, 1)).tasks).toHaveLength(1);
  });

  it('cancels a task, and we hear of it', async () => {
    const heard: string[] = [];
    const stop = new AbortController();
    await broker.subscribeCancel((id) => heard.push(id), stop.signal);
    const id = crypto.randomUUID();
    await go.run(['inspect', 'cancel', id]);
    await expect.poll(() => heard).toContain(id);
    stop.abort();
  });
});
