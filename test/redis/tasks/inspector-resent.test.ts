import { beforeEach, expect, it } from 'vitest';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { Inspector } from '../../../src/tasks/inspector.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import type { TaskState } from '../../../src/wire/states.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { dumpKeys } from '../../support/queue-keys-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { GROUP, taskIn } from '../../support/task-in-state.ts';

/* A script whose connection breaks after Redis has run it, and before it said so, is sent again, and is one change. */

const redis = rawCluster();
const on = brokerOn(testCluster());
const { router, clock } = on;

/** Takes each script for unanswered and sends it once more. */
const sendingAgain: RedisRouter = Object.assign(Object.create(router), {
  run: async (...[script, keys, args, options]: Parameters<RedisRouter['run']>) => {
    await router.run(script, keys, args);
    return router.run(script, keys, options?.argsWhenResent?.() ?? args);
  },
  command: (...call: Parameters<RedisRouter['command']>) => router.command(...call),
});
const inspector = new Inspector(sendingAgain, { clock });

let queue: string;
let keys: QueueKeys;
beforeEach(() => {
  queue = uniqueQueue();
  keys = new QueueKeys(queue);
});

type Change = readonly [
  how: string,
  from: TaskState,
  to: TaskState | undefined,
  change: (id: string) => Promise<unknown>,
  result: unknown,
];

const CHANGES: readonly Change[] = [
  ['runs', 'aggregating', 'pending', (id) => inspector.runTask(queue, id), undefined],
  ['archives', 'pending', 'archived', (id) => inspector.archiveTask(queue, id), undefined],
  ['deletes', 'pending', undefined, (id) => inspector.deleteTask(queue, id), undefined],
  ['runs all', 'scheduled', 'pending', () => inspector.runAllScheduledTasks(queue), 1],
  ['archives all', 'pending', 'archived', () => inspector.archiveAllPendingTasks(queue), 1],
  ['deletes all', 'aggregating', undefined, () => inspector.deleteAllAggregatingTasks(queue, GROUP), 1],
  ['updates', 'scheduled', 'scheduled', (id) => inspector.updateTaskPayload(queue, id, 'new'), undefined],
];

it.each(CHANGES)('%s tasks that are %s once', async (_, from, to, change, result) => {
  const { id } = await taskIn(from, on, { queue });
  expect(await change(id)).toEqual(result);
  const { pending, tasks, groups, ...sets } = await dumpQueue(redis, queue, [id]);
  expect(pending).toEqual(to === 'pending' ? [id] : []);
  expect(groups).toEqual({});
  expect(tasks[id]?.['state']).toBe(to);
  const holders = Object.entries(sets).filter(([, set]) => id in set);
  expect(holders.map(([name]) => name)).toEqual(to === 'archived' || to === 'scheduled' ? [to] : []);
});

it('still tells when it was not there to be changed', async () => {
  const { id } = await taskIn('archived', on, { queue });
  await redis.zrem(keys.archived, id);
  await expect(inspector.runTask(queue, id)).rejects.toMatchObject({ code: 'ASYNQ_TASK_STATE' });
});

it('pauses and resumes once, and still knows a pause that is not its own', async () => {
  await inspector.pauseQueue(queue);
  await clock.advance(1_000);
  await expect(inspector.pauseQueue(queue)).rejects.toMatchObject({ code: 'ASYNQ_QUEUE_STATE' });
  await inspector.unpauseQueue(queue);
  expect(await redis.exists(keys.paused)).toBe(0);
});

it('removes a queue, tasks and all', async () => {
  for (const state of ['completed', 'aggregating', 'scheduled'] as const) await taskIn(state, on, { queue });
  await inspector.deleteQueue(queue, { force: true });
  expect(await dumpKeys(router, queue)).toEqual([]);
});

it('removes all that a queue held, though it is used anew meanwhile and after', async () => {
  const enqueue = async () => (await on.enqueue({ queue })).id;
  const old = await enqueue();
  const ids = [old];
  const used: RedisRouter = Object.assign(Object.create(sendingAgain), {
    run: async (...[script, scriptKeys, args, options]: Parameters<RedisRouter['run']>) => {
      const first = await router.run(script, scriptKeys, args);
      if (script.name !== 'inspect-remove') return first;
      ids.push(await enqueue());
      const reply = await router.run(script, scriptKeys, options?.argsWhenResent?.() ?? args);
      ids.push(await enqueue());
      return reply;
    },
  });
  await new Inspector(used, { clock }).deleteQueue(queue, { force: true });
  expect(await Promise.all(ids.map((id) => redis.exists(keys.task(id))))).toEqual([0, 0, 1]);
});
