import { afterAll, expect, test } from 'vitest';
import { openRedis } from '../../../src/redis/open.ts';
import { parseRedisUri } from '../../../src/redis/uri.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Inspector } from '../../../src/tasks/inspector.ts';
import { Task } from '../../../src/tasks/task.ts';
import { startSentinelSet } from '../../lab/redis-sentinel.ts';
import type { RedisServer } from '../../lab/redis-server.ts';
import { testRouter } from '../../support/router.ts';
import { until } from '../../support/until.ts';

const password = 'of the set';
const sentinelPassword = 'of the sentinel';
const set = await startSentinelSet({ password, sentinelPassword });
afterAll(() => set[Symbol.asyncDispose]());

const { masterName, sentinelAddrs, servers } = set;
const options = { masterName, sentinelAddrs, password, sentinelPassword };
const router = testRouter(options);

const masterAddr = async () => (await router.masters())[0]?.addr;

test('the master that the sentinels name is the one that serves, every slot', async () => {
  const [master] = servers;
  expect(await masterAddr()).toBe(master.addr);
  const id = await master.info('run_id');
  expect(await router.locate('any key')).toMatchObject({ master: { addr: master.addr, id }, replicas: [] });
  await router.ping();
});

test('a URI leads there as well, with the password of the master besides', async () => {
  const login = encodeURIComponent(sentinelPassword);
  const uri = `redis-sentinel://:${login}@${sentinelAddrs.join(',')}/2?master=${encodeURIComponent(masterName)}`;
  const other = openRedis({ ...parseRedisUri(uri), password }, { clock: systemClock, log: silentLogger });
  await other.command('', 'SET', ['in 2', 'x']);
  expect(await router.command('', 'GET', ['in 2'])).toBeNull();
  await other.close();
});

test.each([
  ['a set that they do not know', { masterName: 'another' }, 'ASYNQ_CONFIG_INVALID'],
  ['a wrong password of the sentinels', { sentinelPassword: 'no' }, 'ASYNQ_REDIS_AUTH'],
  ['a wrong password of the master', { password: 'no' }, 'ASYNQ_REDIS_AUTH'],
])('%s is told at once', async (_, wrong, code) => {
  const bad = openRedis({ ...options, ...wrong }, { clock: systemClock, log: silentLogger });
  await expect(bad.ping()).rejects.toMatchObject({ code });
  await bad.close();
});

test('one sentinel that answers is enough', async () => {
  const more = { ...options, sentinelAddrs: ['127.0.0.1:1', ...sentinelAddrs] };
  const other = openRedis(more, { clock: systemClock, log: silentLogger });
  expect((await other.masters())[0]?.addr).toBe(servers[0].addr);
  await other.close();
});

/** A sentinel waits for eight seconds before it makes a replica of a master that came down by its order. */
const PATIENT = { timeout: 40_000 };

test('tasks go on when the master hands over, and when it dies', { timeout: 90_000 }, async () => {
  const [first, second] = servers;
  const client = new Client(router);
  const inspector = new Inspector(router);
  const enqueue = (taskId: string) => client.enqueue(new Task('t'), { queue: 'q', taskId });
  // What a master took last, and has not passed on, ends with it.
  const isOn = (server: RedisServer, id: string) =>
    until(async () => (await server.call('EXISTS', `asynq:{q}:t:${id}`)) === 1);
  await enqueue('before');
  await isOn(second, 'before');

  await set.ask('SENTINEL', 'FAILOVER', masterName);
  await until(async () => (await first.info('role')) === 'slave', PATIENT);
  await enqueue('after the handover');
  expect(await masterAddr()).toBe(second.addr);
  await isOn(first, 'after the handover');

  await second.kill();
  await until(async () => (await first.info('role')) === 'master', PATIENT);
  await enqueue('after the death');
  expect(await masterAddr()).toBe(first.addr);
  const ids = (await inspector.listPendingTasks('q')).map(({ id }) => id);
  expect(ids).toEqual(['before', 'after the handover', 'after the death']);
});
