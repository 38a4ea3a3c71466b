import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Broker, LeasedTask } from '../../src/broker/broker.ts';
import type { TaskMessage } from '../../src/wire/task-message.ts';
import { brokerGroupCases } from './broker-group-cases.ts';
import type { BrokerUnderTest } from './broker-under-test.ts';
import { codeOf } from './code-of.ts';
import { taskMessage } from './task-messages.ts';
import { until } from './until.ts';

/** What a server may expect of any broker: run for the fake that tests of the server use, and for the real one. */
export function brokerCases(open: () => Promise<BrokerUnderTest>): void {
  describe('a broker', () => {
    let under: BrokerUnderTest;
    let broker: Broker;
    let queue: string;
    beforeAll(async () => {
      under = await open();
      ({ broker } = under);
    });
    afterAll(() => under.close());
    beforeEach(() => {
      queue = `cases:${crypto.randomUUID()}`;
    });

    async function enqueue(fields: Partial<TaskMessage> = {}): Promise<TaskMessage> {
      const message = taskMessage({ queue, ...fields });
      await broker.enqueue({ message });
      return message;
    }

    async function lease(fields: Partial<TaskMessage> = {}): Promise<LeasedTask> {
      await enqueue(fields);
      const { tasks } = await broker.dequeue(queue, 1);
      const [task] = tasks;
      if (task === undefined) throw new Error('expected a task, got none');
      return task;
    }

    async function ids(max = 10): Promise<string[]> {
      return (await broker.dequeue(queue, max)).tasks.map((task) => task.id);
    }

    test('enqueues many, each on its own account', async () => {
      const taken = await enqueue();
      const messages = [taskMessage({ queue }), taken, taskMessage({ queue })];
      expect(await broker.enqueueMany(messages.map((message) => ({ message })))).toEqual([
        undefined,
        expect.objectContaining({ code: 'ASYNQ_TASK_ID_CONFLICT' }),
        undefined,
      ]);
      expect(await ids()).toEqual([taken.id, messages[0]?.id, messages[2]?.id]);
    });

    test('leases the oldest tasks first, as many as are asked for', async () => {
      const [a, b, c] = [await enqueue(), await enqueue(), await enqueue()];
      const first = await broker.dequeue(queue, 2);
      expect(first.tasks.map((task) => task.id)).toEqual([a.id, b.id]);
      expect(first.reason).toBe('ok');
      expect(first.tasks[0]).toMatchObject({ queue, message: { ...a } });
      const second = await broker.dequeue(queue, 2);
      expect(second.tasks.map((task) => task.id)).toEqual([c.id]);
      expect(second.reason).toBe('empty');
      expect(await broker.dequeue(queue, 2)).toEqual({ tasks: [], reason: 'empty' });
    });

    test('lets no more tasks be active than the queue may have, and says that there are more', async () => {
      await under.limit(queue, 2);
      for (let n = 0; n < 3; n++) await enqueue();
      const { tasks, ...rest } = await broker.dequeue(queue, 5);
      expect(rest).toEqual({ reason: 'limited', limit: 'concurrency', retryAfterMs: 250 });
      expect(tasks).toHaveLength(2);
      expect(await broker.dequeue(queue, 5)).toEqual({ tasks: [], ...rest });
      for (const task of tasks) await broker.settle(task, { kind: 'done' });
      expect((await broker.dequeue(queue, 5)).tasks).toHaveLength(1);
    });

    test('a lease lasts half a minute, in whole seconds', async () => {
      const before = under.now();
      const { leaseExpiresAt } = await lease();
      expect(leaseExpiresAt).toBeGreaterThan(before + 29_000);
      expect(leaseExpiresAt).toBeLessThanOrEqual(under.now() + 30_000);
    });

    test('a task id that is known in any state conflicts', async () => {
      const { message } = await lease();
      expect(await codeOf(broker.enqueue({ message }))).toBe('ASYNQ_TASK_ID_CONFLICT');
    });

    test('a unique task locks out its like until it is done', async () => {
      const unique = () => taskMessage({ queue, uniqueKey: `asynq:{${queue}}:unique:x:y` });
      await broker.enqueue({ message: unique(), uniqueTtl: 60 });
      expect(await codeOf(broker.enqueue({ message: unique(), uniqueTtl: 60 }))).toBe('ASYNQ_DUPLICATE_TASK');
      const [task] = (await broker.dequeue(queue, 1)).tasks;
      expect(task && (await broker.settle(task, { kind: 'done' }))).toBe(true);
      expect(await codeOf(broker.enqueue({ message: unique(), uniqueTtl: 60 }))).toBe('no error');
    });

    test('what is claimed comes in once, also when it is done already', async () => {
      const claim = { key: `asynq-operator:{${queue}}:claim`, ttl: 60 };
      await broker.enqueue({ message: taskMessage({ queue }), claim });
      expect(await codeOf(broker.enqueue({ message: taskMessage({ queue }), claim }))).toBe(
        'ASYNQ_CLAIM_TAKEN',
      );
      const [task] = (await broker.dequeue(queue, 1)).tasks;
      expect(task && (await broker.settle(task, { kind: 'done' }))).toBe(true);
      expect(await codeOf(broker.enqueue({ message: taskMessage({ queue }), claim }))).toBe(
        'ASYNQ_CLAIM_TAKEN',
      );
      expect(await ids()).toEqual([]);
    });

    test('a claim is not taken by a task that is refused', async () => {
      const claim = { key: `asynq-operator:{${queue}}:claim`, ttl: 60 };
      const { message } = await lease();
      expect(await codeOf(broker.enqueue({ message, claim }))).toBe('ASYNQ_TASK_ID_CONFLICT');
      const uniqueKey = `asynq:{${queue}}:unique:x:y`;
      const both = () => ({ message: taskMessage({ queue, uniqueKey }), uniqueTtl: 60 });
      await broker.enqueue(both());
      expect(await codeOf(broker.enqueue({ ...both(), claim }))).toBe('ASYNQ_DUPLICATE_TASK');
      expect(await codeOf(broker.enqueue({ message: taskMessage({ queue }), claim }))).toBe('no error');
    });

    test('a scheduled task waits for its second, and its time is told', async () => {
      const message = taskMessage({ queue });
      await broker.enqueue({ message, processAt: under.now() + 90_000 });
      expect(await ids()).toEqual([]);
      const { moved, nextDue } = await broker.forward(queue);
      expect({ moved, nextDue }).toEqual({ moved: 0, nextDue: Math.floor((under.now() + 90_000) / 1000) });
      await under.advance(90_000);
      expect(await broker.forward(queue)).toEqual({ moved: 1, nextDue: undefined });
      expect(await ids()).toEqual([message.id]);
    });

    test('done deletes the task', async () => {
      const task = await lease();
      expect(await broker.settle(task, { kind: 'done' })).toBe(true);
      expect(await codeOf(broker.enqueue({ message: task.message }))).toBe('no error');
    });

    test('done keeps a task with retention until the janitor comes', async () => {
      const task = await lease({ retention: 60 });
      expect(await broker.settle(task, { kind: 'done' })).toBe(true);
      expect(await broker.deleteExpiredCompleted(queue, 100)).toBe(0);
      expect(await codeOf(broker.enqueue({ message: task.message }))).toBe('ASYNQ_TASK_ID_CONFLICT');
      await under.advance(61_000);
      expect(await broker.deleteExpiredCompleted(queue, 100)).toBe(1);
      expect(await codeOf(broker.enqueue({ message: task.message }))).toBe('no error');
    });

    test('revoke deletes the task whatever its retention', async () => {
      const task = await lease({ retention: 60 });
      expect(await broker.settle(task, { kind: 'revoke' })).toBe(true);
      expect(await codeOf(broker.enqueue({ message: task.message }))).toBe('no error');
    });

    test('retry brings the task back in its second, with what went wrong', async () => {
      const task = await lease();
      const at = under.now() + 20_000;
      const failedAt = Math.floor(under.now() / 1000);
      await broker.settle(task, { kind: 'retry', at, error: 'no route', isFailure: true });
      expect((await broker.forward(queue)).nextDue).toBe(Math.floor(at / 1000));
      await under.advance(20_000);
      expect((await broker.forward(queue)).moved).toBe(1);
      const [again] = (await broker.dequeue(queue, 1)).tasks;
      expect(again?.message).toMatchObject({ id: task.id, retried: 1, errorMsg: 'no route' });
      expect(again?.message.lastFailedAt).toBeGreaterThanOrEqual(failedAt);
    });

    test('a retry that is no failure does not count', async () => {
      const task = await lease();
      await broker.settle(task, { kind: 'retry', at: under.now(), error: 'busy', isFailure: false });
      expect((await broker.forward(queue)).moved).toBe(1);
      const [again] = (await broker.dequeue(queue, 1)).tasks;
      expect(again?.message).toMatchObject({ retried: 0, errorMsg: 'busy' });
    });

    test('archive sets the task aside', async () => {
      const task = await lease();
      expect(await broker.settle(task, { kind: 'archive', error: 'no' })).toBe(true);
      await under.advance(60_000);
      expect(await broker.forward(queue)).toEqual({ moved: 0, nextDue: undefined });
      expect(await ids()).toEqual([]);
      expect(await codeOf(broker.enqueue({ message: task.message }))).toBe('ASYNQ_TASK_ID_CONFLICT');
    });

    test('requeue puts the task before all others, unchanged', async () => {
      const task = await lease({ retried: 2 });
      await enqueue();
      expect(await broker.settle(task, { kind: 'requeue' })).toBe(true);
      const [next] = (await broker.dequeue(queue, 1)).tasks;
      expect(next?.message).toEqual(task.message);
    });

    test('settles of many tasks in one turn are each their own', async () => {
      await Promise.all(Array.from({ length: 20 }, () => enqueue()));
      const { tasks } = await broker.dequeue(queue, 20);
      const written = await Promise.all(
        tasks.map((task, index) =>
          broker.settle(task, index % 2 === 0 ? { kind: 'done' } : { kind: 'requeue' }),
        ),
      );
      expect(written).toEqual(tasks.map(() => true));
      const back = tasks.filter((_, index) => index % 2 === 1).map((task) => task.id);
      expect((await ids(20)).toSorted()).toEqual(back.toSorted());
    });

    test('what was settled is not settled again', async () => {
      const task = await lease();
      expect(await broker.settle(task, { kind: 'done' })).toBe(true);
      expect(await broker.settle(task, { kind: 'archive', error: 'late' })).toBe(false);
      expect(await codeOf(broker.enqueue({ message: task.message }))).toBe('no error');
    });

    test('a task with an ended lease is recovered by one of those who look', async () => {
      const { id } = await lease();
      expect(await broker.listLeaseExpired(queue, under.now())).toEqual([]);
      await under.advance(31_000);
      const looks = [
        broker.listLeaseExpired(queue, under.now()),
        broker.listLeaseExpired(queue, under.now()),
      ];
      const found = (await Promise.all(looks)).flat();
      expect(found[0]).toMatchObject({ id, queue, message: { id } });
      const retry = { kind: 'retry', at: under.now(), error: 'lost', isFailure: true } as const;
      const written = await Promise.all(found.map((task) => broker.settle(task, retry)));
      expect(written.filter(Boolean)).toEqual([true]);
      expect((await broker.forward(queue)).moved).toBe(1);
      expect(await ids()).toEqual([id]);
    });

    test('extended leases do not end', async () => {
      const task = await lease();
      await under.advance(20_000);
      await broker.extendLeases([task]);
      expect(task.leaseExpiresAt).toBeGreaterThan(under.now() + 29_000 - 1_000);
      await under.advance(20_000);
      expect(await broker.listLeaseExpired(queue, under.now())).toEqual([]);
      expect(await broker.settle(task, { kind: 'done' })).toBe(true);
    });

    test('a lease that is gone is not brought back by an extension', async () => {
      const task = await lease();
      await broker.settle(task, { kind: 'done' });
      const { leaseExpiresAt } = task;
      await under.advance(5_000);
      await broker.extendLeases([task]);
      expect(task.leaseExpiresAt).toBe(leaseExpiresAt);
      await under.advance(60_000);
      expect(await broker.listLeaseExpired(queue, under.now())).toEqual([]);
    });

    test('a result is stored with its task, and makes no task where there is none', async () => {
      const task = await lease({ retention: 60 });
      await broker.writeResult(queue, task.id, Buffer.from('42'));
      await broker.settle(task, { kind: 'done' });
      await broker.writeResult(queue, task.id, Buffer.from('43'));
      const gone = await lease();
      await broker.settle(gone, { kind: 'done' });
      expect(await codeOf(broker.writeResult(queue, gone.id, Buffer.from('44')))).toBe(
        'ASYNQ_TASK_NOT_FOUND',
      );
      expect(await codeOf(broker.enqueue({ message: gone.message }))).toBe('no error');
    });

    brokerGroupCases(() => ({ under, queue, enqueue, ids }));

    test('who waits for tasks is told of those that are there, and of those that come', async () => {
      const { signal } = new AbortController();
      const waiting = broker.awaitPending(queue, 'me', signal);
      const message = await enqueue();
      expect(await waiting).toBe('pending');
      expect(await broker.awaitPending(queue, 'me', signal)).toBe('pending');
      expect(await ids()).toEqual([message.id]);
    });

    test('who waits for tasks is told of those that fall due', async () => {
      const { signal } = new AbortController();
      const message = taskMessage({ queue });
      await broker.enqueue({ message, processAt: under.now() + 2_000 });
      const waiting = broker.awaitPending(queue, 'me', signal);
      await under.advance(2_000);
      await broker.forward(queue);
      expect(await waiting).toBe('pending');
    });

    test('who waits for tasks can stop', async () => {
      const stop = new AbortController();
      const waiting = codeOf(broker.awaitPending(queue, 'me', stop.signal));
      await broker.ping();
      stop.abort();
      expect(await waiting).toBe('ASYNQ_CLOSED');
      expect(await codeOf(broker.awaitPending(queue, 'me', stop.signal))).toBe('ASYNQ_CLOSED');
    });

    test('cancellations reach those who listen, until they stop', async () => {
      const heard: string[] = [];
      const stop = new AbortController();
      const listening = broker.subscribeCancel((taskId) => heard.push(taskId), stop.signal);
      const id = crypto.randomUUID();
      await until(async () => {
        await broker.publishCancel(id);
        return heard.includes(id);
      });
      stop.abort();
      await listening;
      const count = heard.length;
      await broker.publishCancel(id);
      await broker.ping();
      expect(heard).toHaveLength(count);
    });
  });
}
