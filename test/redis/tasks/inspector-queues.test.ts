import { Redis } from 'ioredis';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Inspector } from '../../../src/tasks/inspector.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { TASK_STATES } from '../../../src/wire/states.ts';
import { rawCluster, rawRedis, testCluster, testRedis, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { testRouter } from '../../support/router.ts';
import { GROUP, taskIn } from '../../support/task-in-state.ts';
import { taskMessage } from '../../support/task-messages.ts';

const SERVERS = [
  { name: 'a cluster', redis: rawCluster(), options: testCluster() },
  { name: 'a standalone server', redis: rawRedis(), options: { addr: testRedis().addr } },
];

describe.each(SERVERS)('queues on $name', ({ redis, options }) => {
  const on = brokerOn(options);
  const { broker, router, clock, second, lease } = on;
  const inspector = new Inspector(router, { clock });

  let queue: string;
  let keys: QueueKeys;
  beforeEach(() => {
    queue = uniqueQueue();
    keys = new QueueKeys(queue);
  });

  it('lists them, sorted', async () => {
    const names = [`${queue}-ñ`, `${queue}-b`, `${queue}-a`];
    for (const name of names) await taskIn('pending', on, { queue: name });
    const listed = (await inspector.queues()).filter((name) => name.startsWith(queue));
    expect(listed).toEqual(names.toReversed().toSorted());
  });

  it('counts what is in one, by states', async () => {
    for (const state of TASK_STATES.filter((one) => one !== 'pending')) await taskIn(state, on, { queue });
    await taskIn('scheduled', on, { queue });
    await taskIn('pending', on, { queue });
    await clock.advance(12_000);
    await taskIn('pending', on, { queue });
    await inspector.pauseQueue(queue);
    expect(await inspector.getQueueInfo(queue)).toEqual({
      queue,
      memoryUsageBytes: expect.any(Number),
      latencySeconds: 12,
      size: 9,
      groups: 1,
      pending: 2,
      active: 1,
      scheduled: 2,
      retry: 1,
      archived: 1,
      completed: 1,
      aggregating: 1,
      processed: 3,
      failed: 2,
      processedTotal: 3,
      failedTotal: 2,
      paused: true,
      timestamp: new Date(clock.now()),
    });
  });

  it('tells an empty queue from none', async () => {
    await expect(inspector.getQueueInfo(queue)).rejects.toMatchObject({
      code: 'ASYNQ_QUEUE_NOT_FOUND',
      message: `queue "${queue}" does not exist`,
    });
    await redis.sadd('asynq:queues', queue);
    expect(await inspector.getQueueInfo(queue)).toMatchObject({
      size: 0,
      groups: 0,
      latencySeconds: 0,
      memoryUsageBytes: 0,
      processedTotal: 0,
      paused: false,
    });
  });

  it('tells the latency by the oldest task, though one that was given back is the next', async () => {
    const first = await lease({ queue });
    await taskIn('pending', on, { queue });
    await clock.advance(7_000);
    await broker.settle(first, { kind: 'requeue' });
    expect(await inspector.getQueueInfo(queue)).toMatchObject({ latencySeconds: 7 });
    for (const { id } of await inspector.listPendingTasks(queue)) {
      await redis.hdel(keys.task(id), 'pending_since');
    }
    expect(await inspector.getQueueInfo(queue)).toMatchObject({ latencySeconds: undefined });
  });

  it('counts the tasks of more groups than one script looks at', async () => {
    const groups = Array.from({ length: 1_001 }, (_, n) => `g${n}`);
    await Promise.all(groups.map((group) => broker.enqueue({ message: taskMessage({ queue }), group })));
    await broker.enqueue({ message: taskMessage({ queue }), group: 'g7' });
    expect(await inspector.getQueueInfo(queue)).toMatchObject({
      groups: 1_001,
      aggregating: 1_002,
      size: 1_002,
    });
    const found = await inspector.groups(queue);
    expect(found.map(({ group }) => group)).toEqual(groups.toSorted());
    expect(found.find(({ group }) => group === 'g7')).toEqual({ group: 'g7', size: 2 });
  });

  it('estimates memory from the tasks that are there', async () => {
    const payload = Buffer.alloc(10_000, 'x');
    const ids: string[] = [];
    for (let n = 0; n < 30; n++) ids.push((await taskIn('pending', on, { queue, payload })).id);
    const whole = (await inspector.getQueueInfo(queue)).memoryUsageBytes ?? 0;
    expect(whole).toBeGreaterThan(30 * 10_000);
    expect(whole).toBeLessThan(30 * 20_000);
    await redis.del(keys.task(ids[29] ?? ''), keys.task(ids[28] ?? ''));
    expect((await inspector.getQueueInfo(queue)).memoryUsageBytes).toBeCloseTo(whole, -4);
  });

  it('shows the days of a queue, the newest first, those without tasks as zero', async () => {
    const today = Math.floor(clock.now() / 86_400_000) * 86_400_000;
    const day = (ago: number) => today - ago * 86_400_000;
    await redis.set(keys.processedOn(day(0)), '30');
    await redis.set(keys.failedOn(day(0)), '2');
    await redis.set(keys.processedOn(day(2)), '10');
    expect(await inspector.history(queue, 4)).toEqual([
      { queue, date: new Date(day(0)), processed: 30, failed: 2 },
      { queue, date: new Date(day(1)), processed: 0, failed: 0 },
      { queue, date: new Date(day(2)), processed: 10, failed: 0 },
      { queue, date: new Date(day(3)), processed: 0, failed: 0 },
    ]);
    const none = { code: 'ASYNQ_OPTION_INVALID', message: 'the number of days must be positive' };
    await expect(inspector.history(queue, 0)).rejects.toMatchObject(none);
    await expect(inspector.history(queue, 1.5)).rejects.toMatchObject({ code: 'ASYNQ_OPTION_INVALID' });
    const missing = inspector.history(uniqueQueue(), 1);
    await expect(missing).rejects.toMatchObject({ code: 'ASYNQ_QUEUE_NOT_FOUND' });
  });

  it('pauses and resumes a queue, and says when it is so already', async () => {
    await inspector.pauseQueue(queue);
    expect(await redis.get(keys.paused)).toBe(String(second()));
    await clock.advance(1_000);
    const again = { code: 'ASYNQ_QUEUE_STATE', message: `queue "${queue}" is already paused` };
    await expect(inspector.pauseQueue(queue)).rejects.toMatchObject(again);
    await inspector.unpauseQueue(queue);
    expect(await redis.exists(keys.paused)).toBe(0);
    const running = { code: 'ASYNQ_QUEUE_STATE', message: `queue "${queue}" is not paused` };
    await expect(inspector.unpauseQueue(queue)).rejects.toMatchObject(running);
  });

  it('lists the groups of a queue; none when there is none', async () => {
    await taskIn('aggregating', on, { queue });
    expect(await inspector.groups(queue)).toEqual([{ group: GROUP, size: 1 }]);
    expect(await inspector.groups(uniqueQueue())).toEqual([]);
  });
});

describe('where a queue lies', () => {
  const inspector = new Inspector(testRouter());
  it.each([
    ['images', 9_450],
    ['webhooks', 4_418],
    ['notifications', 16_340],
    ['imágenes', 2_788],
  ])('%s: slot %d, its master and its replicas', async (queue, slot) => {
    expect(await inspector.clusterKeySlot(queue)).toBe(slot);
    const nodes = await inspector.clusterNodes(queue);
    expect(nodes[0]).toEqual({ id: expect.stringMatching(/^[0-9a-f]{40}$/), addr: expect.any(String) });
    const master = await rawClusterMaster(nodes[0]?.addr ?? '');
    expect(master).toContain('role:master');
    await expect(inspector.clusterKeySlot('')).rejects.toMatchObject({ code: 'ASYNQ_QUEUE_NAME_INVALID' });
  });

  async function rawClusterMaster(addr: string): Promise<string> {
    const [host = '', port] = addr.split(':');
    const node = new Redis({ host, port: Number(port), password: testCluster().password });
    try {
      return await node.info('replication');
    } finally {
      node.disconnect();
    }
  }
});

describe('a server that does not tell of memory', () => {
  const admin = rawRedis();
  const user = `no-memory-${crypto.randomUUID()}`;
  afterAll(() => admin.call('ACL', 'DELUSER', user));

  it('is asked all else', async () => {
    await admin.call('ACL', 'SETUSER', user, 'on', '>pw', '~*', '&*', '+@all', '-memory');
    const { router, clock, ...on } = brokerOn({ addr: testRedis().addr, username: user, password: 'pw' });
    const queue = uniqueQueue();
    await taskIn('pending', { router, clock, ...on }, { queue });
    const info = await new Inspector(router, { clock }).getQueueInfo(queue);
    expect(info).toMatchObject({ pending: 1, memoryUsageBytes: undefined });
  });
});
