import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onFreePorts } from '../../lab/free-ports.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import { binPath, runBin } from '../../support/bin.ts';
import { testKube } from '../../support/kube.ts';
import { until } from '../../support/until.ts';
import { type OperatorRig, operatorRig } from './operator-rig.ts';

let rig: OperatorRig;
let redis: RedisCluster;

beforeAll(async () => {
  [rig, redis] = await Promise.all([operatorRig('process'), startRedisCluster({ replicas: 0 })]);
});

afterAll(() => redis.stop());

interface OperatorProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly lines: string[];
  get(kind: 'health' | 'metrics', path: string): Promise<{ status: number; body: string }>;
}

/** `asynq-operator operator`, as its pod runs it. */
function start(name: string): Promise<OperatorProcess> {
  return onFreePorts(2, '127.0.0.1', async ([health = 0, metrics = 0]) => startOn(name, { health, metrics }));
}

function startOn(name: string, ports: { health: number; metrics: number }): OperatorProcess {
  const flags = {
    kubeconfig: testKube().kubeconfig,
    'lease-namespace': rig.namespace,
    'health-port': String(ports.health),
    'metrics-port': String(ports.metrics),
  };
  const child = spawn(
    process.execPath,
    [
      binPath('asynq-operator'),
      'operator',
      ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]),
    ],
    {
      env: {
        PATH: process.env['PATH'],
        POD_NAME: name,
        WATCH_NAMESPACES: rig.namespace,
        WORKER_IMAGE: 'workers:test',
        ASYNQ_REDIS_ADDRS: redis.addrs.join(','),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return {
    child,
    lines,
    get: async (kind, path) => {
      const response = await fetch(`http://127.0.0.1:${ports[kind]}${path}`);
      return { status: response.status, body: await response.text() };
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

const untilReady = (operator: OperatorProcess) =>
  until(async () => (await operator.get('health', '/readyz')).status === 200, {
    timeout: 30_000,
    what: 'the operator to be ready',
  });

describe('asynq-operator operator', () => {
  it('serves the AsynqQueues of its namespaces, tells how it is, and hands over when it is stopped', async () => {
    await using first = await start('first');
    await untilReady(first);
    expect(await first.get('health', '/healthz')).toEqual({ status: 200, body: 'ok\n' });

    await rig.apply('served', { worker: { handlers: { path: 'handlers.mjs' } } });
    await rig.untilCondition('served', 'Ready', 'True');
    const { spec } = await rig.deployment('served-worker');
    expect(spec?.template.spec?.containers[0]).toMatchObject({
      image: 'workers:test',
      args: ['worker', '--port', '8080'],
    });

    const { body } = await first.get('metrics', '/metrics');
    expect(body).toContain(
      `asynq_operator_redis_up{namespace="${rig.namespace}",name="served",queue="served"} 1`,
    );
    expect(body).toMatch(/^leader_election_master_status\{.*\} 1$/m);
    for (const name of [
      'workqueue_depth',
      'controller_runtime_reconcile_total',
      'rest_client_requests_total',
    ]) {
      expect(body).toContain(name);
    }

    await using second = await start('second');
    await untilReady(second);
    const begun = performance.now();
    first.child.kill('SIGTERM');
    const [code] = await once(first.child, 'exit');
    expect(code).toBe(0);
    await until(
      async () =>
        /^leader_election_master_status\{.*\} 1$/m.test((await second.get('metrics', '/metrics')).body),
      {
        timeout: 20_000,
        what: 'the other one to lead',
      },
    );
    expect(performance.now() - begun).toBeLessThan(10_000);
    for (const line of [...first.lines, ...second.lines])
      expect(() => JSON.parse(line) as unknown).not.toThrow();
  });

  it.each([
    ['a kubeconfig that is not there', ['--kubeconfig', '/nowhere'], {}, 'ASYNQ_KUBE_CONFIG', '/nowhere'],
    [
      'a default connection that cannot be',
      ['--kubeconfig', 'KUBECONFIG'],
      { ASYNQ_REDIS_ADDRS: 'a:1', ASYNQ_REDIS_MODE: 'Sentinel' },
      'ASYNQ_CONFIG_INVALID',
      'ASYNQ_REDIS_MODE: expected Cluster or Standalone, got "Sentinel"',
    ],
  ])('ends with one line about %s', async (_, args, env, code, words) => {
    const given = args.map((arg) => (arg === 'KUBECONFIG' ? testKube().kubeconfig : arg));
    const result = await runBin('asynq-operator', ['operator', ...given], { env });
    expect(result.code).toBe(1);
    const lines = result.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'error', code });
    expect(lines[0]).toContain(JSON.stringify(words).slice(1, -1));
  });
});
