import { expect, it } from 'vitest';
import { SchedulerEntries } from '../../../src/broker/scheduler-entries.ts';
import { Inspector } from '../../../src/tasks/inspector.ts';
import { SERVERS_KEY, serverKey, WORKERS_KEY, workersKey } from '../../../src/wire/keys.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';

const redis = rawCluster();
const { broker, router, clock, second, lease } = brokerOn(testCluster());
const log = new RecordingLogger();
const inspector = new Inspector(router, { clock, log });

function server(fields: { host: string; pid?: number }) {
  return {
    pid: 7,
    serverId: crypto.randomUUID(),
    concurrency: 9,
    queues: { low: 1, high: 3 },
    strictPriority: true,
    status: 'active' as const,
    startedAt: clock.now(),
    workers: [],
    ...fields,
  };
}

const found = async (host: string) => (await inspector.servers()).filter((one) => one.host.startsWith(host));

it('shows servers and what they work on, sorted by host and process', async () => {
  const host = uniqueQueue('host');
  const queue = uniqueQueue();
  const tasks = [await lease({ queue, payload: Buffer.from('p') }), await lease({ queue })];
  const workers = tasks.map((task, n) => ({
    task,
    startedAt: clock.now() - n * 1_000,
    deadline: clock.now() + 60_000,
  }));
  const servers = [
    { ...server({ host: `${host}-b` }), workers },
    server({ host: `${host}-a`, pid: 11 }),
    server({ host: `${host}-a`, pid: 9 }),
  ];
  for (const one of servers) await broker.writeServerState(one, 60);
  const listed = await found(host);
  expect(listed.map((one) => [one.host, one.pid])).toEqual([
    [`${host}-a`, 9],
    [`${host}-a`, 11],
    [`${host}-b`, 7],
  ]);
  const now = new Date(clock.now());
  expect(listed[2]).toEqual({
    id: servers[0]?.serverId,
    host: `${host}-b`,
    pid: 7,
    concurrency: 9,
    queues: { low: 1, high: 3 },
    strictPriority: true,
    started: now,
    status: 'active',
    activeWorkers: [
      {
        taskId: tasks[1]?.id,
        taskType: 'test:task',
        taskPayload: new Uint8Array(),
        queue,
        started: new Date(clock.now() - 1_000),
        deadline: new Date(clock.now() + 60_000),
      },
      {
        taskId: tasks[0]?.id,
        taskType: 'test:task',
        taskPayload: Buffer.from('p'),
        queue,
        started: now,
        deadline: new Date(clock.now() + 60_000),
      },
    ],
  });
  for (const one of servers) await broker.clearServerState(one);
  expect(await found(host)).toEqual([]);
});

it('sees a server whose clock is wrong, and forgets one that died', async () => {
  const host = uniqueQueue('host');
  const [late, dead] = [server({ host: `${host}-late` }), server({ host: `${host}-dead` })];
  const nameOf = ({ host: name, pid, serverId }: typeof late) => [name, pid, serverId] as const;
  for (const one of [late, dead]) {
    await broker.writeServerState(one, 60);
    await redis.zadd(SERVERS_KEY, second() - 100, serverKey(...nameOf(one)));
  }
  await redis.del(serverKey(...nameOf(dead)));
  expect((await found(host)).map((one) => one.host)).toEqual([late.host]);
  expect(await redis.zscore(SERVERS_KEY, serverKey(...nameOf(dead)))).toBeNull();
  expect(await redis.zscore(WORKERS_KEY, workersKey(...nameOf(dead)))).toBeNull();
  await broker.clearServerState(late);
});

it('passes over a server or a worker that it cannot read, and says so', async () => {
  const host = uniqueQueue('host');
  const task = await lease({ queue: uniqueQueue() });
  const workers = [{ task, startedAt: clock.now(), deadline: clock.now() + 60_000 }];
  const [odd, partly] = [server({ host: `${host}-odd` }), { ...server({ host: `${host}-partly` }), workers }];
  for (const one of [odd, partly]) await broker.writeServerState(one, 60);
  const key = serverKey(odd.host, odd.pid, odd.serverId);
  const ofWorkers = workersKey(partly.host, partly.pid, partly.serverId);
  await redis.set(key, 'not a server', 'EX', 60);
  await redis.hset(ofWorkers, 'id', 'not a worker');
  expect(await found(host)).toMatchObject([{ host: partly.host, activeWorkers: [{ taskId: task.id }] }]);
  const told = log.entries.map(({ fields }) => fields['key']);
  expect(told).toEqual(expect.arrayContaining([key, ofWorkers]));
  expect(await redis.zscore(SERVERS_KEY, key)).not.toBeNull();
  for (const one of [odd, partly]) await broker.clearServerState(one);
});

it('publishes a cancellation', async () => {
  const heard: string[] = [];
  const stop = new AbortController();
  await broker.subscribeCancel((id) => heard.push(id), stop.signal);
  const id = crypto.randomUUID();
  await inspector.cancelProcessing(id);
  await expect.poll(() => heard).toContain(id);
  stop.abort();
});

it('shows the entries of schedulers and what was enqueued for them', async () => {
  const entries = new SchedulerEntries({ router, clock, log });
  const schedulerId = `host:1:${crypto.randomUUID()}`;
  const entry = {
    id: crypto.randomUUID(),
    spec: '@every 1h',
    taskType: 'report:build',
    taskPayload: Buffer.from('{"report":1}'),
    options: ['Queue("critical")', 'MaxRetry(1)', 'Odd(1)'],
    next: clock.now() + 3_600_000,
    prev: undefined,
  };
  await entries.write(schedulerId, [entry], 20);
  const shown = (await inspector.schedulerEntries()).find(({ id }) => id === entry.id);
  expect(shown).toMatchObject({
    spec: '@every 1h',
    task: { type: 'report:build' },
    options: { queue: 'critical', maxRetry: 1 },
    optionTexts: entry.options,
    next: new Date(entry.next),
    prev: undefined,
  });
  expect(shown?.task.payload.json()).toEqual({ report: 1 });
  await entries.clear(schedulerId);

  const events = Array.from({ length: 5 }, (_, n) => ({
    taskId: `task-${n}`,
    enqueuedAt: clock.now() + n * 1_000,
  }));
  for (const event of events) await entries.recordEvent(entry.id, event);
  const page = async (options?: { pageSize?: number; page?: number }) =>
    (await inspector.listSchedulerEnqueueEvents(entry.id, options)).map(({ taskId }) => taskId);
  expect(await page()).toEqual(['task-4', 'task-3', 'task-2', 'task-1', 'task-0']);
  expect(await page({ pageSize: 2, page: 2 })).toEqual(['task-2', 'task-1']);
  expect(await page({ pageSize: 2, page: 4 })).toEqual([]);
  expect(await page({ page: 0 })).toEqual([]);
  expect((await inspector.listSchedulerEnqueueEvents(entry.id, { pageSize: 1 }))[0]?.enqueuedAt).toEqual(
    new Date(clock.now() + 4_000),
  );
  await entries.clearHistory(entry.id);
});

it('closes the connection that it made, and leaves a shared one open', async () => {
  const shared = new Inspector(router, { clock });
  await shared.close();
  expect(Array.isArray(await shared.queues())).toBe(true);
  const own = new Inspector(testCluster());
  await own.queues();
  await own.close();
  await expect(own.queues()).rejects.toMatchObject({ code: 'ASYNQ_CLOSED' });
});
