import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRedis } from '../../../src/redis/open.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Server } from '../../../src/server/server.ts';
import { Client } from '../../../src/tasks/client.ts';
import { getQueueLimits, setQueueLimits } from '../../../src/tasks/queue-limits.ts';
import { Task } from '../../../src/tasks/task.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import { GoPeer } from '../../support/go-peer.ts';
import { until } from '../../support/until.ts';
import { type OperatorRig, operatorRig, type RunningOperator } from './operator-rig.ts';

let rig: OperatorRig;
let redis: RedisCluster;
let router: RedisRouter;
let client: Client;
let running: RunningOperator;

beforeAll(async () => {
  [rig, redis] = await Promise.all([operatorRig('limits'), startRedisCluster({ replicas: 0 })]);
  router = openRedis({ addrs: redis.addrs }, { clock: systemClock, log: silentLogger });
  client = new Client(router);
  running = await rig.start({ operatorDefault: { mode: 'Cluster', addrs: redis.addrs } });
});

afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await router.close();
  await redis.stop();
});

const WORKER = { image: 'workers:1', concurrency: 10 };
const SCALING = { maxReplicas: 20, target: { tasksPerReplica: 10 } };

const apply = (name: string, limits?: object) =>
  rig.apply(name, { worker: WORKER, scaling: SCALING, ...(limits && { limits }) });

const untilLimits = (queue: string, limits: object | undefined) =>
  until(
    async () => {
      expect(await getQueueLimits(router, queue)).toEqual(limits);
      return true;
    },
    { what: `limits of ${queue}: ${JSON.stringify(limits)}` },
  );

describe('limits of an AsynqQueue', () => {
  it('come into Redis, change and go with the spec', async () => {
    await apply('webhooks', { concurrency: 50, ratePerSecond: 0.5 });
    await untilLimits('webhooks', { concurrency: 50, ratePerSecond: 0.5 });
    const { message } = await rig.untilCondition('webhooks', 'LimitsEnforced', 'True', 'Enforced');
    expect(message).toBe('at most 50 active, 0.5 started per second, by spec.limits');
    await apply('webhooks', { ratePerSecond: 20 });
    await untilLimits('webhooks', { ratePerSecond: 20 });
    await apply('webhooks');
    await untilLimits('webhooks', undefined);
    await until(async () => (await rig.condition('webhooks', 'LimitsEnforced')) === undefined);
  });

  it('are set again against other hands, and in a Redis that was flushed', async () => {
    await apply('kept', { concurrency: 5 });
    await rig.untilCondition('kept', 'LimitsEnforced', 'True', 'Enforced');
    await untilLimits('kept', { concurrency: 5 });
    let isTold = false;
    const telling = rig.untilEvent('kept', 'LimitsCorrected').finally(() => (isTold = true));
    // Until the operator has seen its own limits, it sets them again without a word.
    const corrected = async () => {
      await setQueueLimits(router, 'kept', { concurrency: 500 });
      await untilLimits('kept', { concurrency: 5 });
      return isTold;
    };
    await until(corrected, { interval: 500, timeout: 30_000 });
    const { note } = await telling;
    expect(note).toBe('the limits in Redis were changed to 500 active; spec.limits: 5 active');
    for (const { addr } of await router.masters()) {
      await redis.nodes.find((node) => node.addr === addr)?.call('FLUSHALL');
    }
    await untilLimits('kept', { concurrency: 5 });
  });

  it('leave alone what others set on a queue whose AsynqQueue says nothing, and what one had that was deleted, until it is back', async () => {
    await setQueueLimits(router, 'by-hand', { concurrency: 3 });
    await apply('by-hand');
    const { message } = await rig.untilCondition('by-hand', 'LimitsEnforced', 'True');
    expect(message).toBe('at most 3 active, set in Redis');
    expect(await getQueueLimits(router, 'by-hand')).toEqual({ concurrency: 3 });

    await apply('left', { concurrency: 8 });
    await rig.untilCondition('left', 'LimitsEnforced', 'True', 'Enforced');
    await rig.delete('left');
    await apply('later');
    await rig.untilCondition('later', 'Ready', 'True');
    expect(await getQueueLimits(router, 'left')).toEqual({ concurrency: 8 });
    await apply('left');
    await untilLimits('left', undefined);
  });

  it('cap the number of workers, and say so', async () => {
    const tasks = Array.from({ length: 150 }, () => new Task('test:task'));
    await client.enqueueMany(tasks, { queue: 'capped' });
    await apply('capped', { concurrency: 25 });
    await rig.untilReplicas('capped-worker', (n) => n === 3);
    await rig.untilCondition('capped', 'ScalingLimited', 'True', 'QueueConcurrency');
    expect((await rig.status('capped')).decision).toMatchObject({
      inputs: { limitConcurrency: 25, slotsPerReplica: 10 },
      limiters: [{ name: 'QueueConcurrency', before: 15, after: 3 }],
    });
  });

  it('are told to be ignored when a Go server serves the queue, and not because of our own', async () => {
    await apply('mixed', { concurrency: 4 });
    await rig.untilCondition('mixed', 'LimitsEnforced', 'True', 'Enforced');
    const ours = new Server(router, { queues: { mixed: 1 }, concurrency: 10 });
    ours.start(() => sleep(20));
    const enqueue = () =>
      client.enqueueMany(
        Array.from({ length: 100 }, () => new Task('test:task')),
        { queue: 'mixed' },
      );
    await enqueue();
    await until(async () => (await processedOf('mixed')) >= 100);
    await rig.untilCondition('mixed', 'LimitsEnforced', 'True', 'Enforced');
    expect((await rig.status('mixed')).conditions).not.toContainEqual(
      expect.objectContaining({ reason: 'ForeignWorkers' }),
    );
    await ours.shutdown();

    const peer = await GoPeer.on({ addrs: redis.addrs, cluster: true });
    await using go = await peer.serve({ queues: { mixed: 1 } });
    await enqueue();
    await rig.untilCondition('mixed', 'LimitsEnforced', 'False', 'ForeignWorkers');
    await rig.untilEvent('mixed', 'ForeignWorkers');
    await until(() => go.processed.length === 100);
  });
});

async function processedOf(queue: string): Promise<number> {
  const key = `asynq:{${queue}}:processed`;
  return Number(await router.command(key, 'GET', [key]));
}
