import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import type { AuditEvent } from '../../lab/audit-log.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import { auditEvents, kubectl, testKube } from '../../support/kube.ts';
import { until } from '../../support/until.ts';
import { type OperatorRig, operatorRig } from './operator-rig.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** The rules that deploy/ gives the operator, for its own and for all namespaces. */
const RULES: readonly Rule[] = parseAllDocuments(
  readFileSync(new URL('../../../deploy/rbac.yaml', import.meta.url), 'utf8'),
)
  .map((document) => document.toJS() as { kind: string; metadata: { name: string }; rules?: Rule[] })
  .filter(({ metadata }) => ['asynq-operator', 'asynq-operator-leader-election'].includes(metadata.name))
  .flatMap(({ rules = [] }) => rules);

/** Only admission of the owner's side asks for it, and only where that plugin is on. */
const ASKED_BY_ADMISSION = 'asynq.dev asynqqueues/finalizers update';

let rig: OperatorRig;
let redis: RedisCluster;
let folder: string;

beforeAll(async () => {
  [rig, redis, folder] = await Promise.all([
    operatorRig('rbac'),
    startRedisCluster({ replicas: 0, password: 'secret' }),
    mkdtemp(join(tmpdir(), 'rbac-')),
  ]);
});

afterAll(async () => {
  await redis.stop();
  await rm(folder, { recursive: true });
});

/** A kubeconfig of a ServiceAccount that may do what deploy/ lets the operator do, in the rig's namespace. */
async function operatorsKubeconfig(): Promise<string> {
  const { namespace } = rig;
  const name = 'asynq-operator';
  const list = {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { namespace, name },
        rules: RULES,
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { namespace, name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      },
    ],
  };
  await kubectl().run(['apply', '-f', '-'], JSON.stringify(list));
  const token = (await kubectl().run(['create', 'token', name, '-n', namespace])).trim();
  const config = JSON.parse(await readFile(testKube().kubeconfig, 'utf8')) as { users: object[] };
  const path = join(folder, 'kubeconfig');
  await writeFile(path, JSON.stringify({ ...config, users: [{ name: 'lab', user: { token } }] }));
  return path;
}

function granted(): readonly string[] {
  return RULES.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => `${group} ${resource} ${verb}`)),
    ),
  );
}

function permissionOf({ objectRef, verb }: AuditEvent): string {
  const { apiGroup = '', resource = '', subresource } = objectRef ?? {};
  return `${apiGroup} ${[resource, subresource].filter(Boolean).join('/')} ${verb}`;
}

it('the roles of deploy/ let the operator do all that it does, and no more', async () => {
  const kubeconfig = await operatorsKubeconfig();
  const secretRef = { name: 'redis', key: 'password' };
  const options = {
    operatorDefault: { mode: 'Cluster', addrs: redis.addrs, passwordSecretRef: secretRef },
    election: { namespace: rig.namespace, name: 'asynq-operator', identity: 'rbac' },
  } as const;
  await rig.secret('redis', { password: 'secret' });
  await rig.configMap('handlers', { 'index.mjs': 'export default () => {};' });
  const scaling = { maxReplicas: 5, target: { tasksPerReplica: 10 }, scaleToZeroAfterSeconds: 0 };
  const worker = { handlers: { configMapRef: { name: 'handlers' } } };

  await using running = await rig.start(options, kubeconfig);
  await using client = new Client({ addrs: redis.addrs, password: 'secret' });
  await rig.apply('all', { worker, scaling });
  await rig.untilCondition('all', 'Ready', 'True');
  await client.enqueue(new Task('any'), { queue: 'all' });
  await rig.untilReplicas('all-worker', (n) => n === 1);
  await rig.untilEvent('all', 'ScaledUp');
  await kubectl().run(['create', 'deployment', 'other', '--image=x', '-n', rig.namespace]);
  await rig.apply('all', { workerRef: { name: 'other' }, scaling });
  await rig.untilReplicas('other', (n) => n === 1);

  const mine = () => auditEvents(({ userAgent }) => userAgent === running.userAgent);
  const used = async () => new Set((await mine()).map(permissionOf));
  // A verb that applying needs where it makes something; a series of events takes a second round.
  const implied = new Set(['apps deployments create', 'events.k8s.io events patch', ASKED_BY_ADMISSION]);
  const unused = async () => {
    const seen = await used();
    return granted().filter((permission) => !seen.has(permission) && !implied.has(permission));
  };
  await until(
    async () => {
      expect(await unused()).toEqual([]);
      return true;
    },
    { timeout: 20_000, what: 'every permission to be used' },
  );
  expect((await mine()).filter(({ responseStatus }) => responseStatus?.code === 403)).toEqual([]);
});
