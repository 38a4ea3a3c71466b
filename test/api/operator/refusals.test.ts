import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEPLOYMENTS } from '../../../src/kube/resources.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import { type StandaloneRedis, startRedis } from '../../lab/redis-server.ts';
import { type OperatorRig, operatorRig, type RunningOperator } from './operator-rig.ts';

const PASSWORD = 'only-for-tests';

let rig: OperatorRig;
let redis: RedisCluster;
let standalone: StandaloneRedis;
let running: RunningOperator;

beforeAll(async () => {
  [rig, redis, standalone] = await Promise.all([
    operatorRig('refusals'),
    startRedisCluster({ replicas: 0, password: PASSWORD }),
    startRedis(),
  ]);
  await rig.secret('redis', { password: PASSWORD });
  running = await rig.start();
});

afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await Promise.all([redis.stop(), standalone.stop()]);
});

const worker = { image: 'mine:1' };
const scaling = { maxReplicas: 5, target: { tasksPerReplica: 10 } };
const connection = (secret = 'redis') => ({
  addrs: redis.addrs,
  passwordSecretRef: { name: secret, key: 'password' },
});

async function untilStalled(name: string, reason: string): Promise<string> {
  const stalled = await rig.untilCondition(name, 'Stalled', 'True', reason);
  const ready = await rig.condition(name, 'Ready');
  expect(ready).toMatchObject({ status: 'False', reason });
  return stalled.message;
}

async function untilRecovered(name: string): Promise<void> {
  await rig.untilCondition(name, 'Ready', 'True');
  expect(await rig.condition(name, 'Stalled')).toBeUndefined();
}

/** That others are served while one AsynqQueue cannot be. */
async function expectOthersServed(name: string): Promise<void> {
  await rig.apply(name, { redis: connection(), worker, scaling });
  await using client = new Client({ addrs: redis.addrs, password: PASSWORD });
  await client.enqueue(new Task('any'), { queue: name });
  await rig.untilReplicas(`${name}-worker`, (n) => n === 1);
}

describe('a Secret', () => {
  it('that is missing stalls its AsynqQueue only, until it is there', async () => {
    await rig.apply('no-secret', { redis: connection('later'), worker, scaling });
    expect(await untilStalled('no-secret', 'RedisSecretMissing')).toContain('Secret later with key password');
    await rig.untilEvent('no-secret', 'RedisSecretMissing');
    await expectOthersServed('beside-no-secret');

    await rig.secret('later', { password: PASSWORD });
    await untilRecovered('no-secret');
    await rig.untilEvent('no-secret', 'Recovered');
  });

  it('with a wrong password stalls it', async () => {
    await rig.secret('wrong', { password: 'wrong' });
    await rig.apply('wrong-password', { redis: connection('wrong'), worker, scaling });
    const message = await untilStalled('wrong-password', 'RedisAuthFailed');
    expect(message).not.toContain('wrong');
    await expectOthersServed('beside-wrong-password');
  });
});

describe('a Redis', () => {
  it('that is no cluster where one was said stalls its AsynqQueue', async () => {
    await rig.apply('no-cluster', { redis: { addrs: [standalone.addr] }, worker, scaling });
    expect(await untilStalled('no-cluster', 'RedisNotACluster')).toBeDefined();

    await rig.apply('no-cluster', {
      redis: { mode: 'Standalone', addrs: [standalone.addr] },
      worker,
      scaling,
    });
    await untilRecovered('no-cluster');
  });

  it('that does not answer is no fault of the spec', async () => {
    await rig.apply('nobody-there', { redis: { addrs: ['127.0.0.1:1'] }, worker, scaling });
    await rig.untilCondition('nobody-there', 'RedisReachable', 'False', 'RedisUnreachable');
    await rig.untilCondition('nobody-there', 'Ready', 'False', 'RedisUnreachable');
    expect(await rig.condition('nobody-there', 'Stalled')).toBeUndefined();
    await expectOthersServed('beside-nobody-there');
  });

  it('that nobody names stalls it', async () => {
    await rig.apply('nowhere', { worker, scaling });
    expect(await untilStalled('nowhere', 'RedisNotConfigured')).toContain('no default connection');
  });
});

describe('a queue of one Redis', () => {
  it('belongs to the older of two AsynqQueues, by whatever addresses they come', async () => {
    const [first = '', ...others] = redis.addrs;
    const at = (addrs: readonly string[]) => ({ ...connection(), addrs });
    await rig.apply('older', { queue: 'wanted', redis: at([first]), worker, scaling });
    await rig.untilCondition('older', 'Ready', 'True');
    await new Promise((resolve) => setTimeout(resolve, 1_100)); // creationTimestamp has whole seconds
    await rig.apply('younger', { queue: 'wanted', redis: at(others), worker, scaling });
    expect(await untilStalled('younger', 'QueueConflict')).toContain(`${rig.namespace}/older`);
    expect(await rig.condition('older', 'Ready')).toMatchObject({ status: 'True' });
    await expect(rig.deployment('younger-worker')).rejects.toThrow(/not found/);

    await rig.delete('older');
    await untilRecovered('younger');
    expect((await rig.deployment('younger-worker')).spec?.replicas).toBe(0);
  });
});

describe('a workload', () => {
  const deployment = (name: string) =>
    rig.client.apply(
      DEPLOYMENTS,
      {
        metadata: { namespace: rig.namespace, name },
        spec: {
          replicas: 2,
          selector: { matchLabels: { app: name } },
          template: {
            metadata: { labels: { app: name } },
            spec: { containers: [{ name: 'c', image: 'x' }] },
          },
        },
      },
      { fieldManager: 'somebody' },
    );

  it('of our name that is not ours is never seized', async () => {
    await deployment('taken-worker');
    await rig.apply('taken', { redis: connection(), worker, scaling });
    expect(await untilStalled('taken', 'NameConflict')).toContain('taken-worker is not ours');
    const live = await rig.deployment('taken-worker');
    expect(live.spec).toMatchObject({ replicas: 2, selector: { matchLabels: { app: 'taken-worker' } } });
    expect(Object.keys(await rig.owners('taken-worker')).join()).not.toContain('asynq-operator');

    await rig.client.delete(DEPLOYMENTS, { namespace: rig.namespace, name: 'taken-worker' });
    await untilRecovered('taken');
    expect((await rig.deployment('taken-worker')).metadata.ownerReferences?.[0]).toMatchObject({
      name: 'taken',
    });
  });

  it('that two refer to belongs to the older', async () => {
    await deployment('shared');
    const workerRef = { name: 'shared' };
    await rig.apply('holder', { redis: connection(), workerRef, scaling });
    await rig.untilCondition('holder', 'Ready', 'True');
    await new Promise((resolve) => setTimeout(resolve, 1_100)); // creationTimestamp has whole seconds
    await rig.apply('comer', { redis: connection(), workerRef, scaling });
    expect(await untilStalled('comer', 'TargetConflict')).toContain(`${rig.namespace}/holder`);
  });

  it('that is not there stalls its AsynqQueue until it is', async () => {
    await rig.apply('pointing', { redis: connection(), workerRef: { name: 'legacy' }, scaling });
    expect(await untilStalled('pointing', 'TargetNotFound')).toContain('legacy');
    await deployment('legacy');
    await untilRecovered('pointing');
  });
});

describe('a template', () => {
  it('that the API server refuses is reported in its words, and does not stop the scaling', async () => {
    await rig.apply('template', { redis: connection(), worker, scaling });
    await rig.untilCondition('template', 'Ready', 'True');
    const spec = { containers: [{ name: 'worker', imagePullPolicy: 'Sometimes' }] };
    await rig.apply('template', { redis: connection(), worker: { ...worker, template: { spec } }, scaling });
    const message = await untilStalled('template', 'InvalidTemplate');
    expect(message).toContain('imagePullPolicy');
    expect(message).toContain('Sometimes');

    await using client = new Client({ addrs: redis.addrs, password: PASSWORD });
    await client.enqueueMany(
      Array.from({ length: 15 }, () => new Task('any')),
      { queue: 'template' },
    );
    await rig.untilReplicas('template-worker', (n) => n === 2);

    const asked = async () =>
      (await running.writes()).filter(
        ({ objectRef, responseStatus }) =>
          objectRef?.name === 'template-worker' && responseStatus?.code === 422,
      );
    expect(await asked()).toHaveLength(1);

    await rig.apply('template', { redis: connection(), worker, scaling });
    await untilRecovered('template');
  });

  it('with a field that no PodSpec has is refused as well', async () => {
    const spec = { restartPolice: 'Always' };
    await rig.apply('misspelt', { redis: connection(), worker: { ...worker, template: { spec } }, scaling });
    expect(await untilStalled('misspelt', 'InvalidTemplate')).toContain('restartPolice');
  });

  it('whose handlers are missing stalls until they are there', async () => {
    const handlers = { configMapRef: { name: 'handlers', key: 'index.mjs' } };
    await rig.apply('handlers', { redis: connection(), worker: { handlers }, scaling });
    expect(await untilStalled('handlers', 'HandlersMissing')).toContain(
      'ConfigMap handlers with key index.mjs',
    );
    await rig.configMap('handlers', { 'index.mjs': 'export default () => {};' });
    await untilRecovered('handlers');
  });
});
