import { beforeEach, expect, it } from 'vitest';
import { QueueRemoval } from '../../../src/broker/queue-removal.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Inspector } from '../../../src/tasks/inspector.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { TASK_STATES, type TaskState } from '../../../src/wire/states.ts';
import { goBroker } from '../../support/go-broker.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { dumpKeys } from '../../support/queue-keys-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn, HURTING_NAMES } from '../../support/redis-broker.ts';
import { GROUP, taskIn } from '../../support/task-in-state.ts';
import { taskMessage } from '../../support/task-messages.ts';

const redis = rawCluster();
const go = await goBroker();
const on = brokerOn(testCluster());
const { broker, router, clock, second } = on;
const inspector = new Inspector(router, { clock });

let queue: string;
let keys: QueueKeys;
beforeEach(() => use(uniqueQueue()));

function use(name: string): void {
  queue = name;
  keys = new QueueKeys(queue);
}

const isListed = async () => (await redis.sismember('asynq:queues', queue)) === 1;

/** Tasks in all states but active, with locks, and all that a queue leaves behind in time. */
async function fill(): Promise<void> {
  for (const state of [
    ...TASK_STATES.filter((one) => one !== 'active' && one !== 'pending'),
    'pending',
  ] as TaskState[]) {
    const uniqueKey = keys.unique('t', Buffer.from(state));
    await taskIn(state, on, { queue, uniqueKey }, 600);
  }
  const inSet = taskMessage({ queue });
  await broker.enqueue({ message: inSet, group: 'claimed' });
  const set = keys.group(`claimed:${crypto.randomUUID()}`);
  await redis.rename(keys.group('claimed'), set);
  await redis.srem(keys.groups, 'claimed');
  await redis.zadd(keys.aggregationSets, second() + 120, set);
  await redis.hset(keys.task('in no list'), { msg: 'm', state: 'archived' });
  await redis.zadd(keys.group('in no index'), second(), 'stranded');
  await redis.set(keys.unique('t', Buffer.from('of nobody')), 'nobody');
  await redis.zadd(keys.lease, second() - 60, 'gone');
  await redis.set(keys.processedOn(clock.now() - 86_400_000), '3');
  await redis.set(`${keys.ownPrefix}limits`, '1');
  await inspector.pauseQueue(queue);
}

it.each(['queue', ...HURTING_NAMES])(
  'leaves nothing of a queue called %j, and all of others',
  async (name) => {
    use(uniqueQueue(name));
    const neighbour = new QueueKeys(`${queue}x`);
    await taskIn('pending', on, { queue: `${queue}x` });
    await fill();
    expect((await dumpKeys(router, queue)).length).toBeGreaterThan(20);
    await inspector.deleteQueue(queue, { force: true });
    expect(await dumpKeys(router, queue)).toEqual([]);
    expect(await isListed()).toBe(false);
    expect(await redis.llen(neighbour.pending)).toBe(1);
  },
);

it.each(TASK_STATES)('removes no queue with tasks that are %s, unless by force', async (state) => {
  await taskIn(state, on, { queue });
  const before = await dumpQueue(redis, queue);
  const full = { code: 'ASYNQ_QUEUE_NOT_EMPTY', message: `queue "${queue}" is not empty` };
  await expect(inspector.deleteQueue(queue)).rejects.toMatchObject(full);
  expect(await dumpQueue(redis, queue)).toEqual(before);
  expect(await isListed()).toBe(true);
});

it('removes no queue with active tasks, whatever the force', async () => {
  await taskIn('retry', on, { queue });
  await taskIn('active', on, { queue });
  const before = await dumpQueue(redis, queue);
  const force = inspector.deleteQueue(queue, { force: true });
  await expect(force).rejects.toMatchObject({
    code: 'ASYNQ_QUEUE_STATE',
    message: expect.stringContaining('cannot remove queue with active tasks'),
  });
  expect(await dumpQueue(redis, queue)).toEqual(before);
});

it('removes an empty queue, once', async () => {
  const { id } = await taskIn('pending', on, { queue });
  await inspector.deleteTask(queue, id);
  await inspector.deleteQueue(queue);
  expect(await isListed()).toBe(false);
  await expect(inspector.deleteQueue(queue)).rejects.toMatchObject({ code: 'ASYNQ_QUEUE_NOT_FOUND' });
});

it("removes what Go's removal left of a queue that is not listed any more", async () => {
  await fill();
  await inspector.deleteAllCompletedTasks(queue);
  await go.call('RemoveQueue', { queue, now: clock.now(), force: true });
  expect(await isListed()).toBe(false);
  expect(await redis.exists(keys.processed)).toBe(1);
  await inspector.deleteQueue(queue, { force: true });
  expect(await dumpKeys(router, queue)).toEqual([]);

  await redis.set(keys.processed, '3');
  await inspector.deleteQueue(queue);
  expect(await dumpKeys(router, queue)).toEqual([]);
});

it('is finished by whoever removes the queue again, if it dies in the middle', async () => {
  await fill();
  let calls = 0;
  const dying: Pick<RedisRouter, 'run' | 'command'> = {
    run: async (...call) => {
      if (++calls > 2) throw new AsynqError('ASYNQ_REDIS_UNREACHABLE');
      return router.run(...call);
    },
    command: (...call) => router.command(...call),
  };
  const removal = new QueueRemoval({ router: dying, clock, log: silentLogger, newId: () => 'first' });
  await expect(removal.remove(queue, true)).rejects.toMatchObject({ code: 'ASYNQ_REDIS_UNREACHABLE' });
  expect(await isListed()).toBe(true);
  expect((await inspector.getQueueInfo(queue)).size).toBe(0);
  await inspector.deleteQueue(queue);
  expect(await dumpKeys(router, queue)).toEqual([]);
  expect(await isListed()).toBe(false);
});

it('takes nothing from who uses the queue anew meanwhile', async () => {
  await fill();
  const fresh = taskMessage({ queue });
  const using: Pick<RedisRouter, 'run' | 'command'> = {
    run: async (...call) => {
      const reply = await router.run(...call);
      if (call[0].name === 'inspect-remove') await broker.enqueue({ message: fresh });
      return reply;
    },
    command: (...call) => router.command(...call),
  };
  const removal = new QueueRemoval({ router: using, clock, log: silentLogger, newId: () => 'id' });
  await removal.remove(queue, true);
  expect(await isListed()).toBe(true);
  const { pending, tasks, groups } = await dumpQueue(redis, queue);
  expect(pending).toEqual([fresh.id]);
  expect(tasks[fresh.id]).toMatchObject({ state: 'pending', message: { id: fresh.id } });
  expect(groups).not.toHaveProperty([GROUP]);
  const left = (await dumpKeys(router, queue)).map(({ key }) => key);
  expect(left.filter((key) => key.includes('removed'))).toEqual([]);
});
