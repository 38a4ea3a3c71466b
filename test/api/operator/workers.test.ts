import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import { until } from '../../support/until.ts';
import {
  crashingStatus,
  type OperatorRig,
  operatorRig,
  type RunningOperator,
  readyStatus,
} from './operator-rig.ts';

let rig: OperatorRig;
let redis: RedisCluster;
let client: Client;
let running: RunningOperator;

beforeAll(async () => {
  [rig, redis] = await Promise.all([operatorRig('workers'), startRedisCluster({ replicas: 0 })]);
  client = new Client({ addrs: redis.addrs });
  running = await rig.start({ operatorDefault: { mode: 'Cluster', addrs: redis.addrs } });
});

afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await client.close();
  await redis.stop();
});

const scaling = { maxReplicas: 5, target: { tasksPerReplica: 10 } };

function enqueue(queue: string, count: number): Promise<unknown> {
  return client.enqueueMany(
    Array.from({ length: count }, () => new Task('any')),
    { queue },
  );
}

describe('workers that crash', () => {
  it('are never scaled up, say why, and are once they work', async () => {
    await rig.apply('crashing', { worker: { image: 'broken:1' }, scaling });
    await enqueue('crashing', 25);
    await rig.untilReplicas('crashing-worker', (n) => n === 3);
    await rig.playKubelet('crashing', 3, crashingStatus('expected a default export, got none'));

    const workers = await rig.untilCondition('crashing', 'WorkersAvailable', 'False', 'CrashLoopBackOff');
    expect(workers.message).toContain('expected a default export, got none');
    await rig.untilCondition('crashing', 'Ready', 'False', 'CrashLoopBackOff');
    await rig.untilReplicas('crashing-worker', (n) => n === 1);
    await rig.untilEvent('crashing', 'CrashLoopBackOff');

    await enqueue('crashing', 100);
    await until(async () => (await rig.status('crashing')).size?.pending === 125, { timeout: 30_000 });
    expect((await rig.deployment('crashing-worker')).spec?.replicas).toBe(1);
    expect((await rig.status('crashing')).decision?.limiters).toContainEqual({
      name: 'WorkersNotStarting',
      before: 13,
      after: 1,
    });

    await rig.apply('crashing', { worker: { image: 'mended:1' }, scaling });
    await until(
      async () => {
        const pods = await rig.pods('crashing');
        const mended = pods.filter((pod) => pod.spec?.containers[0]?.image === 'mended:1');
        return mended.length > 0;
      },
      { timeout: 30_000, what: 'pods of the new template' },
    );
    await rig.playKubelet('crashing', 1, (pod) =>
      pod.spec?.containers[0]?.image === 'mended:1' ? readyStatus(pod) : crashingStatus('old')(pod),
    );
    await rig.untilReplicas('crashing-worker', (n) => n === 5);
    await rig.untilCondition('crashing', 'Ready', 'True');
  });

  it('do not keep a queue awake that has nothing for them', async () => {
    await rig.apply('idle', { worker: { image: 'broken:1' }, scaling: { ...scaling, minReplicas: 1 } });
    await rig.untilReplicas('idle-worker', (n) => n === 1);
    await rig.playKubelet('idle', 1, crashingStatus('boom'));
    await rig.untilCondition('idle', 'WorkersAvailable', 'False', 'CrashLoopBackOff');
    await rig.apply('idle', {
      worker: { image: 'broken:1' },
      scaling: { ...scaling, scaleToZeroAfterSeconds: 0 },
    });
    await rig.untilReplicas('idle-worker', (n) => n === 0);
    expect(await rig.untilCondition('idle', 'WorkersAvailable', 'True', 'ScaledToZero')).toBeDefined();
  });
});

describe('workers whose image cannot be pulled', () => {
  it('say so', async () => {
    await rig.apply('unpulled', { worker: { image: 'nowhere:1' }, scaling: { ...scaling, minReplicas: 1 } });
    const waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image "nowhere:1"' };
    await rig.playKubelet('unpulled', 1, () => ({
      phase: 'Pending',
      containerStatuses: [
        {
          name: 'worker',
          image: 'nowhere:1',
          imageID: '',
          ready: false,
          restartCount: 0,
          state: { waiting },
        },
      ],
    }));
    const workers = await rig.untilCondition('unpulled', 'WorkersAvailable', 'False', 'ImagePullBackOff');
    expect(workers.message).toContain('Back-off pulling image "nowhere:1"');
  });
});

describe('a changed Secret or ConfigMap', () => {
  it('rolls the workers', async () => {
    await rig.configMap('handlers', { 'index.mjs': 'export default 1;' });
    await rig.apply('rolled', { worker: { handlers: { configMapRef: { name: 'handlers' } } }, scaling });
    await rig.untilCondition('rolled', 'Ready', 'True');
    const checksum = async () =>
      (await rig.deployment('rolled-worker')).spec?.template.metadata?.annotations?.['asynq.dev/checksum'];
    const before = await checksum();
    await rig.configMap('handlers', { 'index.mjs': 'export default 2;' });
    await until(async () => (await checksum()) !== before, { timeout: 50_000, what: 'another checksum' });
    expect(before).toMatch(/^[0-9a-f]{16}$/);
  });
});
