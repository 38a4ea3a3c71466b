import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { startRedis } from '../../lab/redis-server.ts';
import { GoPeer } from '../../support/go-peer.ts';
import { OurServer, type OurServerOptions } from '../../support/our-server.ts';
import { testCluster, uniqueQueue } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

/*
 * What is known to go wrong in Go's server: seen there, and what ours does in the same place. All at once, since most of
 * the time is Go's intervals.
 */

/** Of a busy machine. */
const PATIENT = { timeout: 40_000 };

async function ourServer(options: Omit<OurServerOptions, 'retryDelay'>): Promise<OurServer> {
  const server = new OurServer({ retryDelay: 100, ...options });
  await server.started;
  return server;
}

it.concurrent('an outcome that could not be written is written later; by Go never', {
  timeout: 90_000,
}, async () => {
  await using redis = await startRedis();
  const { addr } = redis;
  const go = await GoPeer.on({ addrs: [addr], cluster: false });
  await using client = new Client({ addr });
  const options = { concurrency: 1, takes: 4_000 };
  await using goServer = await go.serve({ ...options, queues: { go: 1 } });
  await using server = await ourServer({ ...options, queues: { ours: 1 }, redis: { addr } });
  const raw = new Redis(`redis://${addr}`, { protocol: 2 });
  for (const queue of ['go', 'ours']) await client.enqueue(new Task('t'), { queue });
  await until(() => goServer.running.size + server.running.size === 2, PATIENT);

  // Nothing of a script takes effect whose first command is refused.
  await raw.call('ACL', 'SETUSER', 'default', '-lrem');
  await until(() => goServer.processed.length + server.processed === 2, PATIENT);
  await delay(500);
  await raw.call('ACL', 'SETUSER', 'default', '+lrem');

  const stateOf = (queue: string) => {
    const keys = new QueueKeys(queue);
    return Promise.all([raw.llen(keys.active), raw.get(keys.processed)]);
  };
  await until(async () => (await stateOf('ours'))[0] === 0, PATIENT);
  expect(await stateOf('ours')).toEqual([0, '1']);
  // Go's syncer tries after 5 s, with a context that is over since the handler ended, as it will each time.
  await delay(6_000);
  expect(await stateOf('go')).toEqual([1, null]);
  raw.disconnect();
});

it.concurrent('a server that Redis refuses waits before it asks again; that of Go does not', {
  timeout: 90_000,
}, async () => {
  await using redis = await startRedis();
  const { addr } = redis;
  const raw = new Redis(`redis://${addr}`, { protocol: 2 });
  await using client = new Client({ addr });
  for (const queue of ['go', 'ours']) await client.enqueue(new Task('t'), { queue });
  // An answer, as when its memory is full: Go's driver sees no reason to wait, as it does when there is none.
  await raw.call('ACL', 'SETUSER', 'default', '-evalsha', '-eval');
  const refusals = async () => {
    const stats = await raw.info('errorstats');
    return Number(/errorstat_NOPERM:count=(\d+)/.exec(stats)?.[1] ?? 0);
  };
  const inTwoSeconds = async () => {
    await until(async () => (await refusals()) > 0, PATIENT);
    const before = await refusals();
    await delay(2_000);
    return (await refusals()) - before;
  };
  const go = await GoPeer.on({ addrs: [addr], cluster: false });
  const goServer = await go.serve({ queues: { go: 1 } });
  const theirs = await inTwoSeconds();
  await goServer.kill();
  await raw.config('RESETSTAT');
  const server = await ourServer({ queues: { ours: 1 }, concurrency: 10, takes: 0, redis: { addr } });
  const ours = await inTwoSeconds();
  await server.kill();
  raw.disconnect();
  console.info(`refused in 2 s: Go ${theirs} times, ours ${ours} times`);
  expect(theirs).toBeGreaterThan(100);
  expect(ours).toBeLessThan(20);
});

it.concurrent('scheduled tasks are on time; with Go up to 5 s late', { timeout: 90_000 }, async () => {
  const go = await GoPeer.on({ ...testCluster(), cluster: true });
  const [theirs, ours] = [uniqueQueue('go'), uniqueQueue('ours')];
  await using client = new Client(testCluster());
  await using goServer = await go.serve({ queues: { [theirs]: 1 } });
  await using server = await ourServer({ queues: { [ours]: 1 }, concurrency: 10, takes: 0 });
  // One in each second of the five between two looks of Go's forwarder.
  const start = Math.ceil(Date.now() / 1000) * 1000 + 1_000;
  for (const queue of [theirs, ours]) {
    for (let due = start; due < start + 5_000; due += 1_000) {
      await client.enqueue(new Task('t'), { queue, taskId: String(due), processAt: new Date(due) });
    }
  }
  await until(() => goServer.taken.length === 5 && server.taken.length === 5, PATIENT);
  const latest = ({ taken }: Pick<OurServer, 'taken'>) =>
    Math.max(...taken.map(({ id, at }) => at - Number(id)));
  console.info(`the latest of scheduled tasks: Go ${latest(goServer)} ms, ours ${latest(server)} ms`);
  expect(latest(goServer)).toBeGreaterThan(3_000);
  expect(latest(server)).toBeLessThan(1_000);
});

it.concurrent('a handler that does not listen has no second one beside it; with Go it has', {
  timeout: 90_000,
}, async () => {
  const go = await GoPeer.on({ ...testCluster(), cluster: true });
  const [theirs, ours] = [uniqueQueue('go'), uniqueQueue('ours')];
  await using client = new Client(testCluster());
  const options = { concurrency: 1, takes: 4_000, retryDelay: 100 };
  await using goServer = await go.serve({ ...options, queues: { [theirs]: 1 }, forwardEvery: 500 });
  await using server = await ourServer({ ...options, queues: { [ours]: 1 } });
  for (const queue of [theirs, ours]) await client.enqueue(new Task('fail'), { queue, timeoutSeconds: 1 });
  await until(() => goServer.taken.length >= 2 && server.taken.length >= 2, PATIENT);
  const between = ({ taken: [first, second] }: Pick<OurServer, 'taken'>) =>
    (second?.at ?? 0) - (first?.at ?? 0);
  expect(between(goServer)).toBeLessThan(options.takes);
  // Clocks of two processes, and messages between them.
  expect(between(server)).toBeGreaterThan(options.takes - 500);
});
