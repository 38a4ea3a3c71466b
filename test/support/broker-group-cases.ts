import { beforeEach, describe, expect, test } from 'vitest';
import type { Broker } from '../../src/broker/broker.ts';
import type { TaskMessage } from '../../src/wire/task-message.ts';
import type { BrokerCase, BrokerUnderTest } from './broker-under-test.ts';
import { codeOf } from './code-of.ts';
import { taskMessage } from './task-messages.ts';
import { until } from './until.ts';

/** What a server may expect of any broker that holds groups; among the cases of broker-cases.ts. */
export function brokerGroupCases(current: () => BrokerCase): void {
  describe('with groups', () => {
    let under: BrokerUnderTest;
    let broker: Broker;
    let queue: string;
    let enqueue: BrokerCase['enqueue'];
    let ids: BrokerCase['ids'];
    beforeEach(() => {
      ({ under, queue, enqueue, ids } = current());
      ({ broker } = under);
    });

    const eachMinute = { gracePeriod: 60_000, maxDelay: 0, maxSize: 0 };

    async function enqueueInGroup(group: string, fields: Partial<TaskMessage> = {}): Promise<TaskMessage> {
      const message = taskMessage({ queue, groupKey: group, ...fields });
      await broker.enqueue({ message, group });
      return message;
    }

    test('a group is ready when its last task has waited long enough, and its time is told', async () => {
      await enqueueInGroup('g');
      const came = Math.floor(under.now() / 1000) * 1000;
      expect(await broker.readyGroups(queue, eachMinute, 'me')).toEqual({
        ready: [],
        nextDue: came + 60_000,
      });
      expect(await broker.claimGroup(queue, 'g', eachMinute)).toBeUndefined();
      await under.advance(30_000);
      await enqueueInGroup('g');
      await under.advance(30_000);
      expect((await broker.readyGroups(queue, eachMinute, 'me'))?.nextDue).toBe(came + 90_000);
      await under.advance(30_000);
      expect(await broker.readyGroups(queue, eachMinute, 'me')).toEqual({
        ready: ['g'],
        nextDue: undefined,
      });
      expect(await ids()).toEqual([]);
    });

    test('a group is ready when its first task has waited too long', async () => {
      const policy = { ...eachMinute, maxDelay: 90_000 };
      await enqueueInGroup('g');
      const came = Math.floor(under.now() / 1000) * 1000;
      await under.advance(50_000);
      await enqueueInGroup('g');
      expect((await broker.readyGroups(queue, policy, 'me'))?.nextDue).toBe(came + 90_000);
      await under.advance(41_000);
      expect((await broker.claimGroup(queue, 'g', policy))?.tasks).toHaveLength(2);
    });

    test('a group is ready when it is large enough, and is taken in pieces of that size', async () => {
      const policy = { ...eachMinute, maxSize: 2 };
      const [a, b] = [await enqueueInGroup('g'), await enqueueInGroup('g')];
      await under.advance(1_000);
      const c = await enqueueInGroup('g');
      expect((await broker.readyGroups(queue, policy, 'me'))?.ready).toEqual(['g']);
      const first = await broker.claimGroup(queue, 'g', policy);
      expect(first?.tasks.map(({ id }) => id).toSorted()).toEqual([a.id, b.id].toSorted());
      expect(await broker.claimGroup(queue, 'g', policy)).toBeUndefined();
      await under.advance(60_000);
      const last = await broker.claimGroup(queue, 'g', policy);
      expect(last?.tasks).toEqual([{ id: c.id, message: c }]);
    });

    test('of several servers one at a time looks at groups', async () => {
      const look = (looker: string) => broker.readyGroups(queue, eachMinute, looker);
      expect(await look('me')).toEqual({ ready: [], nextDue: undefined });
      expect(await look('another')).toEqual({ ready: [], nextDue: undefined });
      await enqueueInGroup('g');
      expect(await look('me')).toBeDefined();
      expect(await look('another')).toBeUndefined();
      expect(await look('me')).toBeDefined();
      await until(async () => {
        await under.advance(100);
        return look('another');
      });
      expect(await look('me')).toBeUndefined();
    });

    test('one of those who claim a group gets it', async () => {
      await enqueueInGroup('g');
      await under.advance(61_000);
      const claims = [1, 2, 3].map(() => broker.claimGroup(queue, 'g', eachMinute));
      expect((await Promise.all(claims)).filter((set) => set !== undefined)).toHaveLength(1);
      expect(await broker.readyGroups(queue, eachMinute, 'me')).toEqual({ ready: [], nextDue: undefined });
    });

    test('the task that a set was made into takes the place of those in it, once', async () => {
      const members = [await enqueueInGroup('g'), await enqueueInGroup('g')];
      await under.advance(61_000);
      const set = await broker.claimGroup(queue, 'g', eachMinute);
      if (set === undefined) throw new Error('expected a set, got none');
      const aggregate = taskMessage({ queue, type: 'made:of-many' });
      expect(await broker.finishAggregation(set, { message: aggregate })).toBe(true);
      expect(await broker.finishAggregation(set, { message: taskMessage({ queue }) })).toBe(false);
      expect(await ids()).toEqual([aggregate.id]);
      for (const message of members) expect(await codeOf(broker.enqueue({ message }))).toBe('no error');
    });

    test('tasks that were made one lock nobody out any more', async () => {
      const uniqueKey = `asynq:{${queue}}:unique:x:y`;
      const unique = () => ({ message: taskMessage({ queue, uniqueKey }), uniqueTtl: 600 });
      await broker.enqueue({ ...unique(), group: 'g' });
      expect(await codeOf(broker.enqueue(unique()))).toBe('ASYNQ_DUPLICATE_TASK');
      await under.advance(61_000);
      const set = await broker.claimGroup(queue, 'g', eachMinute);
      expect(set && (await broker.finishAggregation(set, { message: taskMessage({ queue }) }))).toBe(true);
      expect(await codeOf(broker.enqueue(unique()))).toBe('no error');
    });

    test('a set that cannot be finished is as it was', async () => {
      await enqueueInGroup('g');
      await under.advance(61_000);
      const { id } = await enqueue();
      const set = await broker.claimGroup(queue, 'g', eachMinute);
      if (set === undefined) throw new Error('expected a set, got none');
      const taken = { message: taskMessage({ queue, id }) };
      expect(await codeOf(broker.finishAggregation(set, taken))).toBe('ASYNQ_TASK_ID_CONFLICT');
      expect(await broker.finishAggregation(set, { message: taskMessage({ queue }) })).toBe(true);
    });

    test('a set that is returned is a ready group again', async () => {
      const message = await enqueueInGroup('g');
      await under.advance(61_000);
      const set = await broker.claimGroup(queue, 'g', eachMinute);
      if (set === undefined) throw new Error('expected a set, got none');
      expect(await broker.returnToGroup(set)).toBe(1);
      expect(await broker.returnToGroup(set)).toBe(0);
      expect(await broker.finishAggregation(set, { message: taskMessage({ queue }) })).toBe(false);
      expect((await broker.readyGroups(queue, eachMinute, 'me'))?.ready).toEqual(['g']);
      expect((await broker.claimGroup(queue, 'g', eachMinute))?.tasks).toEqual([{ id: message.id, message }]);
    });

    test('a set goes back by itself after two minutes, and not before', async () => {
      const { id } = await enqueueInGroup('g');
      await under.advance(61_000);
      const set = await broker.claimGroup(queue, 'g', eachMinute);
      await under.advance(100_000);
      expect(await broker.returnStaleSets(queue)).toBe(0);
      await under.advance(21_000);
      expect(await broker.returnStaleSets(queue)).toBe(1);
      expect(set && (await broker.finishAggregation(set, { message: taskMessage({ queue }) }))).toBe(false);
      expect((await broker.claimGroup(queue, 'g', eachMinute))?.tasks.map((task) => task.id)).toEqual([id]);
    });
  });
}
