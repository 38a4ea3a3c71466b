import { describe, expect, it } from 'vitest';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { GoPeer } from '../../support/go-peer.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn, HURTING_NAMES } from '../../support/redis-broker.ts';

/* What Go's client writes, as we read it; and who locks out whom. */

const redis = rawCluster();
const go = await GoPeer.on({ ...testCluster(), cluster: true });
const { broker, router, clock, second } = brokerOn(testCluster());
const client = new Client(router);

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe("a task of Go's client", () => {
  it.each(HURTING_NAMES)('is leased with all its options: %j', async (name) => {
    const queue = uniqueQueue(name);
    const spec = {
      type: name,
      payload: base64('{"a":1}'),
      headers: { [name]: name },
      queue,
      taskId: name,
      maxRetry: 3,
      timeoutSeconds: 20,
      deadline: second() + 600,
      retentionSeconds: 60,
    };
    expect(await go.enqueue([spec])).toMatchObject([{ id: name, state: 'pending' }]);
    const { tasks } = await broker.dequeue(queue, 5);
    expect(tasks).toMatchObject([
      {
        queue,
        id: name,
        message: {
          type: name,
          headers: { [name]: name },
          retry: 3,
          timeout: 20,
          deadline: second() + 600,
          retention: 60,
          uniqueKey: '',
        },
      },
    ]);
    expect(Buffer.from(tasks[0]?.message.payload ?? []).toString()).toBe('{"a":1}');
    const retry = { kind: 'retry', at: (second() + 60) * 1000, error: 'x', isFailure: true } as const;
    expect(tasks[0] && (await broker.settle(tasks[0], retry))).toBe(true);
    expect(await go.task(queue, name)).toMatchObject({
      state: 'retry',
      retried: 1,
      lastErr: 'x',
      headers: { [name]: name },
    });
  });

  it('is forwarded when it is due', async () => {
    const queue = uniqueQueue();
    await go.enqueue([{ type: 't', queue, taskId: 'x', processInSeconds: 90 }]);
    expect(await broker.forward(queue)).toMatchObject({ moved: 0 });
    await clock.advance(120_000);
    expect(await broker.forward(queue)).toEqual({ moved: 1, nextDue: undefined });
    expect((await broker.dequeue(queue, 1)).tasks).toMatchObject([{ id: 'x' }]);
  });

  it('with a group is where ours are', async () => {
    const queue = uniqueQueue();
    await go.enqueue([{ type: 't', queue, taskId: 'go', group: 'g' }]);
    await client.enqueue(new Task('t'), { queue, taskId: 'ts', group: 'g' });
    const { groups, tasks } = await dumpQueue(redis, queue);
    expect(Object.keys(groups['g'] ?? {}).toSorted()).toEqual(['go', 'ts']);
    expect(Object.keys(tasks['go'] ?? {}).toSorted()).toEqual(Object.keys(tasks['ts'] ?? {}).toSorted());
  });
});

describe('a unique task', () => {
  it.each([
    ['a payload', { a: 1 }, base64('{"a":1}')],
    ['an empty payload', new Uint8Array(), ''],
    ['no payload', null, null],
  ])('with %s locks out its like of the other side', async (_, ours, theirs) => {
    const [first, other] = [uniqueQueue(), uniqueQueue()];
    const enqueueOurs = (queue: string) => client.enqueue(new Task('t', ours), { queue, uniqueSeconds: 60 });
    const enqueueTheirs = async (queue: string) =>
      (await go.enqueue([{ type: 't', payload: theirs, queue, uniqueSeconds: 60 }]))[0];

    await enqueueOurs(first);
    expect(await enqueueTheirs(first)).toMatchObject({ kind: 'duplicate' });
    expect(await enqueueTheirs(other)).toMatchObject({ state: 'pending' });
    await expect(enqueueOurs(other)).rejects.toMatchObject({ code: 'ASYNQ_DUPLICATE_TASK' });
  });

  it('and a task id are taken for both sides', async () => {
    const queue = uniqueQueue();
    await go.enqueue([{ type: 't', queue, taskId: 'x' }]);
    await expect(client.enqueue(new Task('t'), { queue, taskId: 'x' })).rejects.toMatchObject({
      code: 'ASYNQ_TASK_ID_CONFLICT',
    });
    await client.enqueue(new Task('t'), { queue, taskId: 'y' });
    expect(await go.enqueue([{ type: 't', queue, taskId: 'y' }])).toMatchObject([{ kind: 'conflict' }]);
  });

  it('done by us is let in by Go again', async () => {
    const queue = uniqueQueue();
    await go.enqueue([{ type: 't', queue, uniqueSeconds: 60 }]);
    const [task] = (await broker.dequeue(queue, 1)).tasks;
    expect(task && (await broker.settle(task, { kind: 'done' }))).toBe(true);
    expect(await go.enqueue([{ type: 't', queue, uniqueSeconds: 60 }])).toMatchObject([{ state: 'pending' }]);
  });
});
