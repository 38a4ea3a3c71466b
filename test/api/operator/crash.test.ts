import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApplyOptions, type Intent, KubeClient, type KubeClientOptions } from '../../../src/kube/api.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import type { Resource } from '../../../src/kube/resource.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import { testKube } from '../../support/kube.ts';
import { until } from '../../support/until.ts';
import { type OperatorRig, operatorRig, type RunningOperator } from './operator-rig.ts';

/** More writes than a scenario has: the last numbers are runs that nothing stops. */
const MOST_WRITES = 5;

let rig: OperatorRig;
let redis: RedisCluster;
let client: Client;

beforeAll(async () => {
  [rig, redis] = await Promise.all([operatorRig('crash'), startRedisCluster({ replicas: 0 })]);
  client = new Client({ addrs: redis.addrs });
});

afterAll(async () => {
  await client.close();
  await redis.stop();
});

/** Dies at its nth write, just before it reaches the API server or just after; from then on nothing gets out. */
class DyingClient extends KubeClient {
  readonly #diesAt: number;
  readonly #when: 'before' | 'after';
  #writes = 0;

  constructor(parts: KubeClientOptions, diesAt: number, when: 'before' | 'after') {
    super(parts);
    this.#diesAt = diesAt;
    this.#when = when;
  }

  get isDead(): boolean {
    return this.#writes >= this.#diesAt;
  }

  override async apply<T extends KubeObject>(
    resource: Resource<T>,
    intent: Intent,
    options: ApplyOptions,
  ): Promise<T> {
    if (this.isDead) throw new Error('died before');
    this.#writes++;
    if (this.isDead && this.#when === 'before') throw new Error('died');
    const applied = await super.apply(resource, intent, options);
    if (this.isDead) throw new Error('died');
    return applied;
  }
}

const scaling = { maxReplicas: 5, target: { tasksPerReplica: 10 } };

/** An operator that dies at its nth write, and then, as the kubelet would have it, another. */
async function runTwice(diesAt: number, when: 'before' | 'after', untilDone: () => Promise<unknown>) {
  const options = { operatorDefault: { mode: 'Cluster', addrs: redis.addrs } } as const;
  let dying: DyingClient | undefined;
  const makeDying = (parts: KubeClientOptions) => (dying = new DyingClient(parts, diesAt, when));
  await whileRunning(rig.start(options, testKube().kubeconfig, makeDying), async () => {
    const done = untilDone().then(
      () => true,
      () => false,
    );
    await Promise.race([done, until(() => dying?.isDead === true, { timeout: 30_000 }).catch(() => {})]);
  });
  await whileRunning(rig.start(options), untilDone);
}

async function whileRunning(
  start: Promise<RunningOperator>,
  act: (running: RunningOperator) => Promise<unknown>,
): Promise<void> {
  await using running = await start;
  await act(running);
}

const cases = Array.from({ length: MOST_WRITES }, (_, i) => i + 1).flatMap((nth) =>
  (['before', 'after'] as const).map((when) => ({ nth, when })),
);

describe('an operator that dies', () => {
  it.each(cases)(
    'just $when its write $nth leaves all as if it had not: workers come',
    async ({ nth, when }) => {
      const name = `born-${nth}-${when}`;
      await client.enqueueMany(
        Array.from({ length: 25 }, () => new Task('any')),
        { queue: name },
      );
      await rig.apply(name, { worker: { image: 'mine:1' }, scaling });
      await runTwice(nth, when, async () => {
        await rig.untilReplicas(`${name}-worker`, (n) => n === 3);
        await rig.untilCondition(name, 'Ready', 'True');
        return until(async () => (await rig.status(name)).replicas === 3, { timeout: 20_000 });
      });

      // And the number outlives a template that an operator dies over.
      await rig.apply(name, { worker: { image: 'mine:2' }, scaling: { ...scaling, mode: 'Hold' } });
      await runTwice(nth, when, () =>
        rig.untilDeployment(
          `${name}-worker`,
          ({ spec }) => spec?.template.spec?.containers[0]?.image === 'mine:2',
          'the new image',
        ),
      );
      const deployment = await rig.deployment(`${name}-worker`);
      expect(deployment.spec?.replicas).toBe(3);
      expect((await rig.owners(`${name}-worker`))['asynq-operator Apply']).not.toContain('f:replicas');
      await rig.delete(name);
    },
  );
});
