import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import { kubectl } from '../../support/kube.ts';
import { until } from '../../support/until.ts';
import { type OperatorRig, operatorRig, type RunningOperator, readyStatus } from './operator-rig.ts';

const PASSWORD = 'only-for-tests';

let rig: OperatorRig;
let redis: RedisCluster;
let client: Client;
let running: RunningOperator;

beforeAll(async () => {
  [rig, redis] = await Promise.all([
    operatorRig('lifecycle'),
    startRedisCluster({ replicas: 0, password: PASSWORD }),
  ]);
  client = new Client({ addrs: redis.addrs, password: PASSWORD });
  await rig.secret('redis', { password: PASSWORD });
  await rig.configMap('handlers', { 'index.mjs': 'export default () => {};' });
  running = await rig.start({
    operatorDefault: {
      mode: 'Cluster',
      addrs: redis.addrs,
      passwordSecretRef: { name: 'redis', key: 'password' },
    },
  });
});

afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await client.close();
  await redis.stop();
});

const WORKER = { handlers: { configMapRef: { name: 'handlers' } } };
const FAST = { maxReplicas: 5, scaleToZeroAfterSeconds: 1, target: { tasksPerReplica: 100 } };

function enqueue(queue: string, count: number): Promise<unknown> {
  const tasks = Array.from({ length: count }, (_, i) => new Task('images:resize', { i }));
  return client.enqueueMany(tasks, { queue });
}

/** What workers would do. */
async function drain(queue: string): Promise<void> {
  const { pending } = new QueueKeys(queue);
  await (await redis.masterOfKey(pending)).call('DEL', pending);
}

describe('an AsynqQueue', () => {
  it('goes from zero up, down and back to zero with its queue', async () => {
    await rig.apply('imagenes', { queue: 'imágenes', worker: WORKER, scaling: FAST });
    await rig.untilCondition('imagenes', 'Ready', 'True', 'Applied');
    expect((await rig.deployment('imagenes-worker')).spec?.replicas).toBe(0);

    await enqueue('imágenes', 300);
    await rig.untilReplicas('imagenes-worker', (n) => n === 3);
    await rig.untilEvent('imagenes', 'ScaledUp');
    await rig.playKubelet('imagenes', 3, readyStatus);
    await rig.untilCondition('imagenes', 'WorkersAvailable', 'True', 'WorkersReady');

    await enqueue('imágenes', 900);
    await rig.untilReplicas('imagenes-worker', (n) => n === 5);
    await rig.untilCondition('imagenes', 'ScalingLimited', 'True', 'MaxReplicas');

    await drain('imágenes');
    await rig.untilReplicas('imagenes-worker', (n) => n === 0);
    await rig.untilEvent('imagenes', 'ScaledDown');
    await rig.untilCondition('imagenes', 'WorkersAvailable', 'True', 'ScaledToZero');
    const status = await rig.status('imagenes');
    expect(status).toMatchObject({
      replicas: 0,
      desiredReplicas: 0,
      decision: { desired: 0, reason: 'Asleep' },
    });
    expect(status.lastScaleTime).toBeDefined();
  });

  it('shows where its queue lives and what is in it', async () => {
    await rig.apply('shown', { worker: WORKER, scaling: { mode: 'Observe' } });
    await enqueue('shown', 7);
    const key = new QueueKeys('shown').pending;
    const owner = await redis.masterOfKey(key);
    await until(async () => (await rig.status('shown')).size?.pending === 7, { timeout: 20_000 });
    expect(await rig.status('shown')).toMatchObject({
      observedGeneration: 1,
      queue: 'shown',
      keySlot: await redis.keyslot(key),
      node: { id: await redis.idOf(owner), addr: owner.addr, replicas: [] },
      size: { pending: 7, active: 0, scheduled: 0, retry: 0, archived: 0, completed: 0, aggregating: 0 },
    });
    const table = await kubectl().run(['get', 'aq', 'shown', '-n', rig.namespace]);
    expect(table).toContain(owner.addr);
  });

  it('wakes for a task that only a worker could make pending', async () => {
    await rig.apply('scheduled', { worker: WORKER, scaling: FAST });
    await rig.untilCondition('scheduled', 'Ready', 'True');
    await client.enqueue(new Task('later'), { queue: 'scheduled', processInSeconds: 12 });
    await rig.untilReplicas('scheduled-worker', (n) => n === 1);
    expect((await rig.status('scheduled')).size?.pending).toBe(0);
  });

  it('keeps the reason why and the numbers of each decision', async () => {
    await rig.apply('explained', { worker: WORKER, scaling: { ...FAST, maxReplicas: 2 } });
    await enqueue('explained', 450);
    await rig.untilReplicas('explained-worker', (n) => n === 2);
    const { decision } = await until(
      async () => {
        const status = await rig.status('explained');
        return status.desiredReplicas === 2 && status;
      },
      { timeout: 20_000 },
    );
    expect(decision).toMatchObject({
      desired: 2,
      reason: 'TasksPerReplica',
      inputs: { waiting: 450, running: 0, targetTasksPerReplica: 100 },
      limiters: [{ name: 'MaxReplicas', before: 5, after: 2 }],
    });
  });

  it('only reports in mode Observe, and leaves the number alone in mode Hold', async () => {
    await rig.apply('observed', { worker: WORKER, scaling: { ...FAST, mode: 'Observe' } });
    await enqueue('observed', 250);
    await until(async () => (await rig.status('observed')).desiredReplicas === 3, { timeout: 20_000 });
    await rig.untilCondition('observed', 'ScalingActive', 'False', 'Observe');
    expect((await rig.deployment('observed-worker')).spec?.replicas).toBe(0);

    await rig.apply('observed', { worker: WORKER, scaling: { ...FAST, mode: 'Hold' } });
    await rig.untilCondition('observed', 'ScalingActive', 'False', 'Hold');
    expect((await rig.deployment('observed-worker')).spec?.replicas).toBe(0);

    await rig.apply('observed', { worker: WORKER, scaling: FAST });
    await rig.untilReplicas('observed-worker', (n) => n === 3);
  });

  it('pauses its queue when it says so, and against other hands', async () => {
    const flag = new QueueKeys('quieted').paused;
    const owner = await redis.masterOfKey(flag);
    const isPaused = async () => (await owner.call('EXISTS', flag)) === 1;
    await rig.apply('quieted', { paused: true, worker: WORKER });
    await until(isPaused, { timeout: 20_000, what: 'the flag in Redis' });
    await rig.untilCondition('quieted', 'Paused', 'True', 'Spec');

    let isTold = false;
    const telling = rig.untilEvent('quieted', 'PausedCorrected').finally(() => (isTold = true));
    // Until the operator has seen its own flag, it sets it again without a word.
    const corrected = async () => {
      await owner.call('DEL', flag);
      await until(isPaused, { timeout: 20_000, what: 'the flag to be set again' });
      return isTold;
    };
    await until(corrected, { interval: 500, timeout: 30_000 });
    const { note } = await telling;
    expect(note).toBe('the queue was resumed in Redis; spec.paused is true');

    await rig.apply('quieted', { paused: false, worker: WORKER });
    await until(async () => !(await isPaused()), { timeout: 20_000, what: 'the flag to be gone' });
    await rig.untilCondition('quieted', 'Paused', 'False', 'Spec');
  });

  it('leaves the flag in Redis alone when it says nothing, and reports it', async () => {
    const flag = new QueueKeys('reported').paused;
    await (await redis.masterOfKey(flag)).call('SET', flag, 1);
    await rig.apply('reported', { worker: WORKER });
    await rig.untilCondition('reported', 'Paused', 'True', 'Redis');
    expect(await (await redis.masterOfKey(flag)).call('EXISTS', flag)).toBe(1);
  });

  it('takes its Deployment with it when it is deleted', async () => {
    await rig.apply('gone', { worker: WORKER });
    await rig.untilCondition('gone', 'Ready', 'True');
    await rig.delete('gone');
    expect(await rig.untilGone('gone-worker')).toBe(true);
  });
});

describe('peace', () => {
  it('is kept by everybody: nothing changes, so nothing is written, the same manifest twice or not', async () => {
    await using other = await rig.start({
      operatorDefault: {
        mode: 'Cluster',
        addrs: redis.addrs,
        passwordSecretRef: { name: 'redis', key: 'password' },
      },
      election: { namespace: rig.namespace, name: 'nobody-leads', identity: 'other' },
    });
    expect(other.operator.isLeading).toBe(false);
    const manifest = JSON.stringify({
      apiVersion: 'asynq.dev/v1alpha1',
      kind: 'AsynqQueue',
      metadata: { name: 'calm', namespace: rig.namespace },
      spec: { worker: WORKER, scaling: FAST },
    });
    await kubectl().run(['apply', '-f', '-'], manifest);
    await rig.untilCondition('calm', 'Ready', 'True');
    const mine = async () =>
      (await running.writes()).filter(({ objectRef }) => objectRef?.name?.startsWith('calm') === true);
    const before = await settled(mine);
    const { metadata } = await rig.deployment('calm-worker');

    expect(await kubectl().run(['apply', '-f', '-'], manifest)).toContain('unchanged');
    const looks = await looksOf(running);
    await until(async () => (await looksOf(running)) > looks + 20, {
      timeout: 30_000,
      what: '20 more reconciles',
    });
    expect(await mine()).toHaveLength(before.length);
    expect((await rig.deployment('calm-worker')).metadata.resourceVersion).toBe(metadata.resourceVersion);
  });
});

/** The list when it has been the same for a second. */
async function settled<T>(list: () => Promise<T[]>): Promise<T[]> {
  let last: T[] = [];
  let since = performance.now();
  return until(
    async () => {
      const now = await list();
      if (now.length !== last.length) since = performance.now();
      last = now;
      return performance.now() - since > 1_000 && now;
    },
    { timeout: 20_000, what: 'a list that does not grow' },
  );
}

/** Reconciles so far. */
async function looksOf({ registry }: RunningOperator): Promise<number> {
  const metric = await registry.getSingleMetric('controller_runtime_reconcile_total')?.get();
  return (metric?.values ?? []).reduce((sum, { value }) => sum + value, 0);
}
