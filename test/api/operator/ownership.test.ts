import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEPLOYMENTS } from '../../../src/kube/resources.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import { kubectl } from '../../support/kube.ts';
import { type OperatorRig, operatorRig, type RunningOperator } from './operator-rig.ts';

let rig: OperatorRig;
let redis: RedisCluster;
let client: Client;
let running: RunningOperator;

beforeAll(async () => {
  [rig, redis] = await Promise.all([operatorRig('ownership'), startRedisCluster({ replicas: 0 })]);
  client = new Client({ addrs: redis.addrs });
  running = await rig.start({ operatorDefault: { mode: 'Cluster', addrs: redis.addrs } });
});

afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await client.close();
  await redis.stop();
});

const scaling = { maxReplicas: 5, target: { tasksPerReplica: 10 } };
const worker = { image: 'mine:1' };

function enqueue(queue: string, count: number): Promise<unknown> {
  return client.enqueueMany(
    Array.from({ length: count }, () => new Task('any')),
    { queue },
  );
}

/** Waits until the worker container has that image. */
function untilImage(name: string, image: string) {
  return rig.untilDeployment(
    name,
    ({ spec }) => spec?.template.spec?.containers.some((container) => container.image === image) === true,
    `image ${image}`,
  );
}

describe('a Deployment of ours', () => {
  it('has one owner for its template and another for its number of replicas', async () => {
    await rig.apply('owned', { worker, scaling });
    await enqueue('owned', 25);
    await rig.untilReplicas('owned-worker', (n) => n === 3);
    const owners = await rig.owners('owned-worker');
    expect(owners['asynq-operator Apply']).toContain('"k:{\\"name\\":\\"worker\\"}"');
    expect(owners['asynq-operator Apply']).not.toContain('f:replicas');
    expect(owners['asynq-operator/scale Apply scale']).toBe('{"f:spec":{"f:replicas":{}}}');
  });

  it('keeps its number of replicas when its template changes, from its first hour on', async () => {
    await enqueue('kept', 25);
    await rig.apply('kept', { worker, scaling });
    await rig.untilReplicas('kept-worker', (n) => n === 3);
    await rig.apply('kept', { worker: { image: 'mine:2' }, scaling: { ...scaling, mode: 'Hold' } });
    const { spec } = await untilImage('kept-worker', 'mine:2');
    expect(spec?.replicas).toBe(3);
    expect((await rig.owners('kept-worker'))['asynq-operator Apply']).not.toContain('f:replicas');
  });

  it('keeps what others added to it', async () => {
    await rig.apply('shared', { worker, scaling });
    await rig.untilCondition('shared', 'Ready', 'True');
    const kube = kubectl();
    await kube.run(['rollout', 'restart', 'deployment/shared-worker', '-n', rig.namespace]);
    await kube.run(['label', 'deployment', 'shared-worker', 'team=media', '-n', rig.namespace]);
    const sidecar = { spec: { template: { spec: { containers: [{ name: 'mesh', image: 'mesh:1' }] } } } };
    await kube.run([
      'patch',
      'deployment',
      'shared-worker',
      '-n',
      rig.namespace,
      '--type=strategic',
      '-p',
      JSON.stringify(sidecar),
    ]);
    await rig.apply('shared', { worker: { image: 'mine:2' }, scaling });
    const { metadata, spec } = await untilImage('shared-worker', 'mine:2');
    expect(metadata.labels).toMatchObject({ team: 'media' });
    expect(spec?.template.metadata?.annotations).toHaveProperty(['kubectl.kubernetes.io/restartedAt']);
    expect(spec?.template.spec?.containers.map(({ name }) => name).toSorted()).toEqual(['mesh', 'worker']);
  });

  it('gets back what others changed of ours', async () => {
    await rig.apply('corrected', { worker, scaling });
    await rig.untilCondition('corrected', 'Ready', 'True');
    await kubectl().run([
      'set',
      'image',
      'deployment/corrected-worker',
      'worker=theirs:1',
      '-n',
      rig.namespace,
    ]);
    await untilImage('corrected-worker', 'mine:1');
    expect(await rig.untilEvent('corrected', 'WorkersUpdated')).toBeDefined();
  });

  it('loses a field that the spec does not name any more', async () => {
    const overlay = { spec: { nodeSelector: { disk: 'ssd' }, priorityClassName: 'system-node-critical' } };
    await rig.apply('shorter', { worker: { ...worker, template: overlay }, scaling });
    await rig.untilDeployment(
      'shorter-worker',
      ({ spec }) => spec?.template.spec?.nodeSelector?.['disk'] === 'ssd',
      'a node selector',
    );
    await rig.apply('shorter', { worker, scaling });
    const { spec } = await rig.untilDeployment(
      'shorter-worker',
      (live) => live.spec?.template.spec?.nodeSelector === undefined,
      'no node selector',
    );
    expect(spec?.template.spec?.priorityClassName).toBeUndefined();
  });

  it('is written once though the API server writes a quantity in its own way', async () => {
    const containers = [{ name: 'worker', resources: { requests: { cpu: '0.5', memory: '1024Mi' } } }];
    await rig.apply('quantities', { worker: { ...worker, template: { spec: { containers } } }, scaling });
    await rig.untilCondition('quantities', 'Ready', 'True');
    const { metadata } = await rig.deployment('quantities-worker');
    await enqueue('quantities', 5);
    await rig.untilReplicas('quantities-worker', (n) => n === 1);
    const writes = (await running.writes()).filter(
      ({ objectRef }) => objectRef?.name === 'quantities-worker' && objectRef.subresource === undefined,
    );
    expect(metadata.generation).toBe(1);
    expect(writes).toHaveLength(1);
  });

  it('gives way to the workload that a workerRef names instead', async () => {
    await rig.apply('moved', { worker, scaling });
    await rig.untilCondition('moved', 'Ready', 'True');
    await kubectl().run(['create', 'deployment', 'moved-to', '--image=x', '-n', rig.namespace]);
    await rig.apply('moved', { workerRef: { name: 'moved-to' }, scaling });
    expect(await rig.untilGone('moved-worker')).toBe(true);
  });
});

describe('a Deployment of others', () => {
  it('is changed in its number of replicas only, through its scale subresource', async () => {
    await kubectl().run(['create', 'deployment', 'legacy', '--image=x', '-n', rig.namespace]);
    const before = await rig.deployment('legacy');
    await enqueue('referred', 35);
    await rig.apply('referred', { workerRef: { name: 'legacy' }, scaling });
    await rig.untilReplicas('legacy', (n) => n === 4);
    const after = await rig.client.get(DEPLOYMENTS, { namespace: rig.namespace, name: 'legacy' });
    expect({ ...after.spec, replicas: 1 }).toEqual(before.spec);
    expect(after.metadata.ownerReferences).toBeUndefined();
    const mine = (await running.writes()).filter(({ objectRef }) => objectRef?.name === 'legacy');
    expect(mine.every(({ objectRef }) => objectRef?.subresource === 'scale')).toBe(true);
    expect((await rig.owners('legacy'))['asynq-operator/scale Apply scale']).toBe(
      '{"f:spec":{"f:replicas":{}}}',
    );
  });
});

interface Managed {
  readonly manager: string;
  readonly subresource?: string;
  readonly fieldsV1: object;
}

describe('the status', () => {
  it('has an owner of its own, and takes nothing else', async () => {
    const { metadata } = await rig.apply('reported', { worker, scaling });
    await rig.untilCondition('reported', 'Ready', 'True');
    const queue = await kubectl().json<{ metadata: { managedFields: Managed[] } }>([
      'get',
      'aq',
      metadata.name,
      '-n',
      rig.namespace,
      '--show-managed-fields',
    ]);
    const mine = queue.metadata.managedFields.filter(({ manager }) => manager.startsWith('asynq-operator'));
    expect(
      mine.map(({ manager, subresource, fieldsV1 }) => [manager, subresource, Object.keys(fieldsV1)]),
    ).toEqual([['asynq-operator/status', 'status', ['f:status']]]);
  });
});

describe('a replica that takes over', () => {
  it('goes on where the other one stopped, and writes nothing that is there already', async () => {
    const election = { namespace: rig.namespace, name: 'lease' };
    const options = { operatorDefault: { mode: 'Cluster', addrs: redis.addrs } } as const;
    await running[Symbol.asyncDispose]();
    const first = await rig.start({ ...options, election: { ...election, identity: 'first' } });
    await rig.apply('inherited', { worker, scaling });
    await enqueue('inherited', 25);
    await rig.untilReplicas('inherited-worker', (n) => n === 3);
    await rig.untilCondition('inherited', 'Ready', 'True');
    const { metadata } = await rig.deployment('inherited-worker');

    running = await rig.start({ ...options, election: { ...election, identity: 'second' } });
    expect(running.operator.isLeading).toBe(false);
    await first[Symbol.asyncDispose]();
    await enqueue('inherited', 10);
    await rig.untilReplicas('inherited-worker', (n) => n === 4);
    expect(running.operator.isLeading).toBe(true);
    const writes = (await running.writes()).filter(
      ({ objectRef }) => objectRef?.resource === 'deployments' && objectRef.subresource === undefined,
    );
    expect(writes).toEqual([]);
    expect((await rig.deployment('inherited-worker')).metadata.uid).toBe(metadata.uid);
  });
});
