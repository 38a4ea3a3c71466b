import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Client, type ClientParts } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { type RedisServer, type StandaloneRedis, startRedis } from '../../lab/redis-server.ts';
import { uniqueQueue } from '../../support/redis.ts';
import { ReplyCutter } from '../../support/reply-cutter.ts';
import { until } from '../../support/until.ts';

const started: StandaloneRedis[] = [];
let master: RedisServer;
let replica: RedisServer;
let cutter: ReplyCutter;
let client: Client;
let queue: string;

beforeAll(async () => {
  started.push(await startRedis(), await startRedis());
  [master, replica] = started.map(({ server }) => server) as [RedisServer, RedisServer];
  const [host = '', port = ''] = master.addr.split(':');
  await replica.call('REPLICAOF', host, port);
  await until(async () => (await replica.info('master_link_status')) === 'up');
  await until(async () => (await master.call('WAIT', 1, 1_000)) === 1);
  cutter = await ReplyCutter.before(master.addr);
  client = clientThat({ count: 1, timeoutMs: 200 });
  await client.ping();
});
beforeEach(() => {
  queue = uniqueQueue();
});
afterEach(() => replica.resume());
afterAll(async () => {
  await client?.close();
  await cutter?.[Symbol.asyncDispose]();
  await Promise.all(started.map((redis) => redis.stop()));
});

function clientThat(waitReplicas: ClientParts['waitReplicas'] & object): Client {
  return new Client({ addr: cutter.addr }, { waitReplicas, log: silentLogger });
}

const has = async (redis: RedisServer, id: string) =>
  (await redis.call('EXISTS', `asynq:{${queue}}:t:${id}`)) === 1;

it('an enqueue that waits for a replica resolves when that has the task', async () => {
  await using patient = clientThat({ count: 1, timeoutMs: 4_000 });
  const { id } = await patient.enqueue(new Task('t'), { queue });
  expect(await has(replica, id)).toBe(true);
});

it('an enqueue that waits in vain says so, and the task is in', async () => {
  replica.pause();
  const enqueued = client.enqueue(new Task('t'), { queue, taskId: 'mine' });
  await expect(enqueued).rejects.toMatchObject({
    code: 'ASYNQ_NOT_REPLICATED',
    message: `task mine is in queue "${queue}", but expected it on 1 replicas within 200 ms, got 0`,
  });
  expect(await has(master, 'mine')).toBe(true);
});

it('an enqueue that was sent again over a new connection does not take the replica for one that has the task', async () => {
  replica.pause();
  cutter.cutNext('EVALSHA');
  const enqueued = client.enqueue(new Task('t'), { queue, taskId: 'mine' });
  await expect(enqueued).rejects.toMatchObject({ code: 'ASYNQ_NOT_REPLICATED' });
  expect(cutter.hasCut).toBe(true);
  expect(await has(master, 'mine')).toBe(true);
});

it('a connection that ends in the wait leaves the task in, and nobody knows how often', async () => {
  cutter.cutNext('WAIT');
  const enqueued = client.enqueue(new Task('t'), { queue, taskId: 'mine' });
  await expect(enqueued).rejects.toMatchObject({ code: 'ASYNQ_NOT_REPLICATED' });
  expect(cutter.hasCut).toBe(true);
  expect(await has(master, 'mine')).toBe(true);
});

it('what is refused needs no replicas', async () => {
  await using patient = clientThat({ count: 1, timeoutMs: 4_000 });
  await patient.enqueue(new Task('t'), { queue, taskId: 'taken' });
  const tasks = ['taken', 'free'].map((taskId) => new Task('t', null, { queue, taskId }));
  const [taken, free] = await patient.enqueueMany(tasks);
  expect(taken).toMatchObject({ status: 'rejected', reason: { code: 'ASYNQ_TASK_ID_CONFLICT' } });
  expect(free).toMatchObject({ status: 'fulfilled', value: { id: 'free' } });
});

it.each([
  { count: 0, timeoutMs: 100 },
  { count: 1.5, timeoutMs: 100 },
  { count: 1, timeoutMs: 0 },
  { count: 1, timeoutMs: 4_001 },
])('refuses %j', (waitReplicas) => {
  expect(() => clientThat(waitReplicas)).toThrow(
    expect.objectContaining({ code: 'ASYNQ_CONFIG_INVALID' }) as Error,
  );
});
