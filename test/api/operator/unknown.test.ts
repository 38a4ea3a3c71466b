import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { QUEUES_KEY, QueueKeys } from '../../../src/wire/keys.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import type { RedisServer } from '../../lab/redis-server.ts';
import { until } from '../../support/until.ts';
import { type OperatorRig, operatorRig, type RunningOperator } from './operator-rig.ts';

let rig: OperatorRig;
let redis: RedisCluster;
let client: Client;
let running: RunningOperator;

beforeAll(async () => {
  [rig, redis] = await Promise.all([
    operatorRig('unknown'),
    // The rest of the cluster goes on when a part of it is gone.
    startRedisCluster({ replicas: 0, config: { 'cluster-require-full-coverage': 'no' } }),
  ]);
  client = new Client({ addrs: redis.addrs });
  running = await rig.start({ operatorDefault: { mode: 'Cluster', addrs: redis.addrs } });
});

afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await client.close();
  await redis.stop();
});

const WORKER = { image: 'mine:1' };
const SCALING = { maxReplicas: 5, target: { tasksPerReplica: 10 }, scaleToZeroAfterSeconds: 1 };

function enqueue(queue: string, count: number): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, () => client.enqueue(new Task('any'), { queue })));
}

/** A client's first task of a queue waits until the queue is listed: a master without the list may be away meanwhile. */
async function masterWithoutList(): Promise<RedisServer> {
  const { addr } = await redis.masterOfKey(QUEUES_KEY);
  const master = (await redis.masters()).find((one) => one.addr !== addr);
  if (master === undefined) throw new Error('the cluster has one master only');
  return master;
}

/** Names of `count` queues that `master` owns, and as many that it does not. */
async function queuesOf(master: RedisServer, count: number): Promise<{ mine: string[]; others: string[] }> {
  const mine: string[] = [];
  const others: string[] = [];
  for (let i = 0; mine.length < count || others.length < count; i++) {
    const name = `q${i}`;
    const owner = await redis.masterOfKey(new QueueKeys(name).pending);
    const list = owner.addr === master.addr ? mine : others;
    if (list.length < count) list.push(name);
  }
  return { mine, others };
}

describe('a master that is down', () => {
  it('makes only its own queues unknown, and nothing of them is lowered', async () => {
    const master = await masterWithoutList();
    const { mine, others } = await queuesOf(master, 2);
    const all = [...mine, ...others];
    for (const name of all) {
      await enqueue(name, 25);
      await rig.apply(name, { worker: WORKER, scaling: SCALING });
    }
    for (const name of all) await rig.untilReplicas(`${name}-worker`, (n) => n === 3);

    await master.kill();
    for (const name of mine) {
      await rig.untilCondition(name, 'RedisReachable', 'False');
      await rig.untilCondition(name, 'ScalingActive', 'False', 'RedisUnknown');
    }
    // The others are read on, and scaled: their queues are emptied and grow again.
    for (const name of others) {
      const { pending } = new QueueKeys(name);
      await (await redis.masterOfKey(pending)).call('DEL', pending);
    }
    for (const name of others) await rig.untilReplicas(`${name}-worker`, (n) => n === 0);
    for (const name of others) {
      await enqueue(name, 15);
      await rig.untilReplicas(`${name}-worker`, (n) => n === 2);
      expect(await rig.condition(name, 'RedisReachable')).toMatchObject({ status: 'True' });
    }
    for (const name of mine) {
      expect((await rig.deployment(`${name}-worker`)).spec?.replicas).toBe(3);
      expect(await rig.status(name)).toMatchObject({ decision: { desired: 3, reason: 'RedisUnknown' } });
      expect(await rig.condition(name, 'Stalled')).toBeUndefined();
    }

    await master.start();
    for (const name of mine) await rig.untilCondition(name, 'RedisReachable', 'True');
  });

  it('raises its queues where onUnknown says so', async () => {
    const master = await masterWithoutList();
    const { mine } = await queuesOf(master, 3);
    const name = mine[2] ?? '';
    const scaling = { ...SCALING, onUnknown: 'AtLeast', unknownReplicas: 2 };
    await rig.apply(name, { worker: WORKER, scaling });
    await rig.untilCondition(name, 'Ready', 'True');
    expect((await rig.deployment(`${name}-worker`)).spec?.replicas).toBe(0);
    await master.kill();
    await rig.untilReplicas(`${name}-worker`, (n) => n === 2);
    await master.start();
    await rig.untilReplicas(`${name}-worker`, (n) => n === 0);
  });
});

describe('a master that hangs', () => {
  it('does not hold up the queues of the others', async () => {
    const master = await masterWithoutList();
    const { mine, others } = await queuesOf(master, 4);
    const [stuck = '', free = ''] = [mine[3], others[3]];
    for (const name of [stuck, free]) {
      await rig.apply(name, { worker: WORKER, scaling: SCALING });
      await rig.untilCondition(name, 'Ready', 'True');
    }
    master.pause();
    await rig.untilCondition(stuck, 'RedisReachable', 'False');
    const begun = performance.now();
    await enqueue(free, 5);
    await rig.untilReplicas(`${free}-worker`, (n) => n === 1);
    expect(performance.now() - begun).toBeLessThan(3_000);
    master.resume();
    await until(async () => (await rig.condition(stuck, 'RedisReachable'))?.status === 'True', {
      timeout: 20_000,
    });
  });
});
