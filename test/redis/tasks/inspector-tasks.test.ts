import { beforeEach, describe, expect, it } from 'vitest';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { Inspector } from '../../../src/tasks/inspector.ts';
import type { PageOptions } from '../../../src/tasks/inspector-options.ts';
import type { TaskInfo } from '../../../src/tasks/task-info.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { TASK_STATES, type TaskState } from '../../../src/wire/states.ts';
import { encodeTaskMessage } from '../../../src/wire/task-message.ts';
import { dumpQueue, dumpTask } from '../../support/queue-dump.ts';
import { rawCluster, rawRedis, testCluster, testRedis, uniqueQueue } from '../../support/redis.ts';
import { brokerOn, HURTING_NAMES } from '../../support/redis-broker.ts';
import { GROUP, taskIn } from '../../support/task-in-state.ts';
import { taskMessage } from '../../support/task-messages.ts';

const SERVERS = [
  { name: 'a cluster', redis: rawCluster(), options: testCluster() },
  { name: 'a standalone server', redis: rawRedis(), options: { addr: testRedis().addr } },
];

const RUNNABLE: readonly TaskState[] = ['scheduled', 'retry', 'archived', 'completed', 'aggregating'];
const ARCHIVABLE: readonly TaskState[] = ['pending', 'scheduled', 'retry', 'completed', 'aggregating'];
const DELETABLE: readonly TaskState[] = ['pending', ...RUNNABLE];

describe.each(SERVERS)('tasks on $name', ({ redis, options }) => {
  const on = brokerOn(options);
  const { broker, router, clock, second } = on;
  const inspector = new Inspector(router, { clock });

  let queue: string;
  let keys: QueueKeys;
  beforeEach(() => {
    queue = uniqueQueue();
    keys = new QueueKeys(queue);
  });

  function list(state: TaskState, page?: PageOptions): Promise<TaskInfo[]> {
    switch (state) {
      case 'pending':
        return inspector.listPendingTasks(queue, page);
      case 'active':
        return inspector.listActiveTasks(queue, page);
      case 'scheduled':
        return inspector.listScheduledTasks(queue, page);
      case 'retry':
        return inspector.listRetryTasks(queue, page);
      case 'archived':
        return inspector.listArchivedTasks(queue, page);
      case 'completed':
        return inspector.listCompletedTasks(queue, page);
      case 'aggregating':
        return inspector.listAggregatingTasks(queue, GROUP, page);
      default:
        return state satisfies never;
    }
  }

  /** Where the queue holds the task, by its lists and sets. */
  async function whereIs(id: string): Promise<string[]> {
    const { pending, active, groups, tasks: _tasks, lease: _lease, ...sets } = await dumpQueue(redis, queue);
    const inSets = Object.entries(sets).filter(([, set]) => id in set);
    return [
      ...(pending.includes(id) ? ['pending'] : []),
      ...(active.includes(id) ? ['active'] : []),
      ...(Object.values(groups).some((group) => id in group) ? ['aggregating'] : []),
      ...inSets.map(([name]) => name),
    ];
  }

  it.each(TASK_STATES)('shows a task that is %s, by its id and in its list', async (state) => {
    const message = await taskIn(state, on, { queue, payload: Buffer.from('{}'), headers: { a: 'b' } });
    if (state === 'completed') await redis.hset(keys.task(message.id), 'result', '42 rows');
    const now = new Date(clock.now());
    const soon = new Date((second() + 90) * 1000);
    const times: Partial<Record<TaskState, Date>> = { pending: now, scheduled: soon, retry: soon };
    const seconds = new Date(second() * 1000);
    const expected = {
      id: message.id,
      queue,
      type: message.type,
      headers: { a: 'b' },
      state,
      maxRetry: 25,
      retried: state === 'retry' ? 1 : 0,
      lastErr: { retry: 'no route', archived: 'hopeless' }[state as string] ?? '',
      lastFailedAt: state === 'retry' || state === 'archived' ? seconds : undefined,
      nextProcessAt: times[state],
      isOrphaned: false,
      completedAt: state === 'completed' ? seconds : undefined,
      result: state === 'completed' ? Buffer.from('42 rows') : undefined,
    };
    const found = await inspector.getTaskInfo(queue, message.id);
    expect(found).toMatchObject(expected);
    expect(found.payload.json()).toEqual({});
    expect(await list(state)).toMatchObject([expected]);
  });

  it.each(HURTING_NAMES)('finds and moves what is called %j', async (name) => {
    queue = uniqueQueue(name);
    const message = taskMessage({ queue, id: name });
    await broker.enqueue({ message, group: name });
    expect(await inspector.listAggregatingTasks(queue, name)).toMatchObject([{ id: name }]);
    await inspector.runTask(queue, name);
    expect(await inspector.getTaskInfo(queue, name)).toMatchObject({ id: name, state: 'pending' });
    await inspector.archiveTask(queue, name);
    await inspector.deleteTask(queue, name);
    expect(await whereIs(name)).toEqual([]);
  });

  it('lists the next to run, and the lowest score, first, page by page', async () => {
    const messages = Array.from({ length: 7 }, (_, n) => taskMessage({ queue, id: `task-${n}` }));
    for (const message of messages) await broker.enqueue({ message });
    const page = async (part?: PageOptions) => (await list('pending', part)).map(({ id }) => id);
    const all = messages.map(({ id }) => id);
    expect(await page()).toEqual(all);
    expect(await page({ pageSize: 3 })).toEqual(all.slice(0, 3));
    expect(await page({ pageSize: 3, page: 3 })).toEqual(all.slice(6));
    expect(await page({ pageSize: 3, page: 4 })).toEqual([]);
    expect(await page({ pageSize: 3, page: -1 })).toEqual(all.slice(0, 3));
    expect(await page({ page: 0 })).toEqual([]);
    expect(await page({ pageSize: -3 })).toEqual([]);

    await broker.dequeue(queue, 2);
    expect((await list('active')).map(({ id }) => id)).toEqual(all.slice(0, 2));
    for (const [n, id] of ['x', 'z', 'y'].entries()) {
      const processAt = clock.now() + 90_000 - n * 10_000;
      await broker.enqueue({ message: taskMessage({ queue, id }), processAt });
    }
    expect((await list('scheduled', { pageSize: 2 })).map(({ id }) => id)).toEqual(['y', 'z']);
    expect((await list('scheduled', { pageSize: 2, page: 2 })).map(({ id }) => id)).toEqual(['x']);
  });

  it('reads a page that is too long or too heavy for one script in several', async () => {
    const heavy = Array.from({ length: 230 }, (_, n) =>
      taskMessage({ queue, id: `task-${n}`, payload: Buffer.alloc(40_000, 'x') }),
    );
    await Promise.all(heavy.map((message) => broker.enqueue({ message })));
    const ids = (await list('pending', { pageSize: 500 })).map(({ id }) => id);
    expect(ids).toEqual(heavy.map(({ id }) => id));
  });

  it('marks active tasks as orphaned whose lease has ended, or that have none', async () => {
    const { id } = await taskIn('active', on, { queue });
    for (const spoil of [() => redis.zadd(keys.lease, second(), id), () => redis.zrem(keys.lease, id)]) {
      await spoil();
      expect(await list('active')).toMatchObject([{ id, isOrphaned: true }]);
      expect(await inspector.getTaskInfo(queue, id)).toMatchObject({ isOrphaned: true });
    }
  });

  it('shows what it cannot read, and why, among the others', async () => {
    const readable = await taskIn('pending', on, { queue });
    const bytes = await taskIn('pending', on, { queue });
    const lost = await taskIn('pending', on, { queue });
    const swapped = await taskIn('pending', on, { queue });
    await redis.hset(keys.task(bytes.id), 'msg', 'not a message');
    await redis.del(keys.task(lost.id));
    const other = await redis.hgetBuffer(keys.task(readable.id), 'msg');
    await redis.hset(keys.task(swapped.id), 'msg', other ?? '');
    const unreadable = { queue, type: 'asynq:unreadable', state: 'pending' };
    const expected = [
      { id: readable.id, type: readable.type },
      { ...unreadable, id: bytes.id, lastErr: expect.stringContaining('expected a task message') },
      { ...unreadable, id: lost.id, lastErr: 'the task has no message' },
      { ...unreadable, id: swapped.id, lastErr: expect.stringContaining(`got one of "${readable.id}"`) },
    ];
    const listed = await list('pending');
    expect(listed).toMatchObject(expected);
    expect(listed[1]?.payload.text()).toBe('not a message');
    expect(await inspector.getTaskInfo(queue, bytes.id)).toMatchObject(expected[1] ?? {});
  });

  it.each(RUNNABLE)('runs a task that is %s, behind the others and with the time of it', async (state) => {
    const { id } = await taskIn(state, on, { queue });
    const first = await taskIn('pending', on, { queue });
    await inspector.runTask(queue, id);
    expect(await whereIs(id)).toEqual(['pending']);
    expect(await dumpTask(redis, queue, id)).toMatchObject({
      state: 'pending',
      pending_since: `${clock.now()}000000`,
    });
    expect((await list('pending')).map((task) => task.id)).toEqual([first.id, id]);
    expect(await redis.smembers(keys.groups)).toEqual([]);
    expect(await redis.hexists(keys.task(id), 'group')).toBe(0);
  });

  it('keeps a group that others are still in', async () => {
    const [{ id }, other] = [
      await taskIn('aggregating', on, { queue }),
      await taskIn('aggregating', on, { queue }),
    ];
    await inspector.runTask(queue, id);
    expect(await redis.smembers(keys.groups)).toEqual([GROUP]);
    expect(await list('aggregating')).toMatchObject([{ id: other.id }]);
  });

  it.each(ARCHIVABLE)('archives a task that is %s', async (state) => {
    const { id } = await taskIn(state, on, { queue });
    await inspector.archiveTask(queue, id);
    expect(await whereIs(id)).toEqual(['archived']);
    expect(await redis.zscore(keys.archived, id)).toBe(String(second()));
    expect(await inspector.getTaskInfo(queue, id)).toMatchObject({ id, state: 'archived' });
    expect(await redis.smembers(keys.groups)).toEqual([]);
  });

  it.each(DELETABLE)('deletes a task that is %s, and its lock', async (state) => {
    const lock = keys.unique('t', null);
    const { id } = await taskIn(state, on, { queue, uniqueKey: lock }, 600);
    if (state === 'completed') await redis.set(lock, id);
    expect(await redis.get(lock)).toBe(id);
    await inspector.deleteTask(queue, id);
    expect(await whereIs(id)).toEqual([]);
    expect(await redis.exists(keys.task(id))).toBe(0);
    expect(await redis.exists(lock)).toBe(0);
    expect(await redis.smembers(keys.groups)).toEqual([]);
  });

  it("leaves another's lock alone, and one in another slot", async () => {
    const lock = keys.unique('t', null);
    const { id } = await taskIn('pending', on, { queue, uniqueKey: lock }, 600);
    await redis.set(lock, 'another');
    await inspector.deleteTask(queue, id);
    expect(await redis.get(lock)).toBe('another');

    const elsewhere = new QueueKeys(uniqueQueue()).unique('t', null);
    const stray = await taskIn('pending', on, { queue, uniqueKey: elsewhere });
    await redis.set(elsewhere, stray.id);
    await inspector.deleteTask(queue, stray.id);
    expect(await redis.exists(elsewhere)).toBe(1);
  });

  it.each<[keyof Inspector & `${string}Task`, TaskState, string]>([
    ['runTask', 'active', 'task is already running'],
    ['runTask', 'pending', 'task is already in pending state'],
    ['archiveTask', 'active', 'cannot archive task in active state. use CancelProcessing instead.'],
    ['archiveTask', 'archived', 'task is already archived'],
    ['deleteTask', 'active', 'cannot delete task in active state. use CancelProcessing instead.'],
  ])('refuses to %s what is %s', async (operation, state, text) => {
    const { id } = await taskIn(state, on, { queue });
    const before = await dumpQueue(redis, queue);
    await expect(inspector[operation](queue, id)).rejects.toMatchObject({
      code: 'ASYNQ_TASK_STATE',
      message: expect.stringContaining(text),
    });
    expect(await dumpQueue(redis, queue)).toEqual(before);
  });

  it.each(['getTaskInfo', 'runTask', 'archiveTask', 'deleteTask', 'updateTaskPayload'] as const)(
    '%s tells a missing task from a missing queue',
    async (operation) => {
      const call = () => inspector[operation](queue, 'none', {});
      await expect(call()).rejects.toMatchObject({ code: 'ASYNQ_QUEUE_NOT_FOUND' });
      await taskIn('pending', on, { queue });
      await expect(call()).rejects.toMatchObject({ code: 'ASYNQ_TASK_NOT_FOUND' });
      queue = ' ';
      await expect(call()).rejects.toMatchObject({ code: 'ASYNQ_QUEUE_NAME_INVALID' });
    },
  );

  it('says of an empty list whether there is such a queue', async () => {
    await expect(list('retry')).rejects.toMatchObject({
      code: 'ASYNQ_QUEUE_NOT_FOUND',
      message: `queue "${queue}" does not exist`,
    });
    await taskIn('pending', on, { queue });
    expect(await list('retry')).toEqual([]);
  });

  it('works on a queue whose listing was lost', async () => {
    const { id } = await taskIn('scheduled', on, { queue });
    await redis.srem('asynq:queues', queue);
    expect(await list('scheduled')).toMatchObject([{ id }]);
    await inspector.runTask(queue, id);
    expect(await whereIs(id)).toEqual(['pending']);
  });

  it('gives a scheduled task another payload and keeps all else', async () => {
    const message = await taskIn('scheduled', on, {
      queue,
      payload: Buffer.from('old'),
      headers: { a: 'b' },
    });
    await inspector.updateTaskPayload(queue, message.id, { new: true });
    expect(await dumpTask(redis, queue, message.id)).toEqual({
      state: 'scheduled',
      message: { ...message, payload: new Uint8Array(Buffer.from('{"new":true}')) },
    });
    expect(await redis.zscore(keys.scheduled, message.id)).toBe(String(second() + 90));
  });

  it.each(TASK_STATES.filter((state) => state !== 'scheduled'))(
    'changes no payload of what is %s',
    async (state) => {
      const { id } = await taskIn(state, on, { queue });
      await expect(inspector.updateTaskPayload(queue, id, 'x')).rejects.toMatchObject({
        code: 'ASYNQ_TASK_STATE',
        message: expect.stringContaining('cannot update task that is not in scheduled state.'),
      });
    },
  );

  it('overwrites no change of another, and nothing that it cannot read', async () => {
    const { id, ...message } = await taskIn('scheduled', on, { queue, payload: Buffer.from('old') });
    const changed = Buffer.from(encodeTaskMessage({ ...message, id, retry: 3 }));
    let reads = 0;
    const meanwhile: RedisRouter = Object.assign(Object.create(router), {
      command: async (...call: Parameters<RedisRouter['command']>) => {
        const reply = await router.command(...call);
        if (call[1] === 'HMGET' && ++reads === 1) await redis.hset(keys.task(id), 'msg', changed);
        return reply;
      },
      run: (...call: Parameters<RedisRouter['run']>) => router.run(...call),
    });
    await new Inspector(meanwhile, { clock }).updateTaskPayload(queue, id, 'new');
    expect(reads).toBe(2);
    const { payload, maxRetry } = await inspector.getTaskInfo(queue, id);
    expect({ payload: payload.json(), maxRetry }).toEqual({ payload: 'new', maxRetry: 3 });
    await redis.hset(keys.task(id), 'msg', 'not a message');
    await expect(inspector.updateTaskPayload(queue, id, 'x')).rejects.toMatchObject({
      code: 'ASYNQ_MESSAGE_UNREADABLE',
    });
    expect(await redis.hget(keys.task(id), 'msg')).toBe('not a message');
  });

  it('says so when a task is not where its hash says', async () => {
    const { id } = await taskIn('scheduled', on, { queue });
    await redis.hset(keys.task(id), 'state', 'retry');
    await expect(inspector.deleteTask(queue, id)).rejects.toMatchObject({ code: 'ASYNQ_TASK_STATE' });
    await redis.hset(keys.task(id), 'state', 'lost');
    await expect(inspector.getTaskInfo(queue, id)).rejects.toMatchObject({
      code: 'ASYNQ_MESSAGE_UNREADABLE',
    });
  });
});
