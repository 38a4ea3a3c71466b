import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client } from '../../../src/tasks/client.ts';
import { getQueueLimits } from '../../../src/tasks/queue-limits.ts';
import { Task } from '../../../src/tasks/task.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { runBin } from '../../support/bin.ts';
import { DevProcess } from '../../support/dev-process.ts';
import { rawCluster, testCluster, testRedis, uniqueQueue } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const { addrs, password } = testCluster();
const client = new Client({ addrs, password });
afterAll(() => client.close());
const redis = rawCluster();

let folder: string;
let queue: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'asynq-dev-test-'));
  queue = uniqueQueue('imágenes');
});

afterEach(() => rm(folder, { recursive: true }));

/** A handler that says which task it had, after `ms`. */
const handlers = (ms = 0) => `export default {
  work: async (task, { log, signal }) => {
    await new Promise((resolve) => setTimeout(resolve, ${ms}));
    log.info({ n: task.payload.getInt('n'), greeting: process.env.GREETING }, 'worked');
  },
};
`;

function manifest(name: string, options: { scaling?: string; worker?: string; more?: string } = {}): string {
  const { scaling = '', worker = 'handlers: { path: ./handlers.mjs }', more = '' } = options;
  return `apiVersion: asynq.dev/v1alpha1
kind: AsynqQueue
metadata: { name: ${name} }
spec:
  queue: '${queue}'
  worker: { ${worker}, concurrency: 2, drainTimeoutSeconds: 5 }
  scaling: { target: { tasksPerReplica: 2 }, maxReplicas: 2, scaleToZeroAfterSeconds: 1${scaling} }
${more}`;
}

const write = (name: string, text: string) => writeFile(join(folder, name), text);
const enqueue = (count: number) =>
  client.enqueueMany(
    Array.from({ length: count }, (_, n) => new Task('work', { n })),
    { queue },
  );

const startDev = (env: Record<string, string> = {}) =>
  new DevProcess([folder, '--redis-addrs', addrs.join(',')], { ASYNQ_REDIS_PASSWORD: password, ...env });

const worked = (operator: DevProcess) =>
  operator.output.filter((line) => line.includes('"msg":"worked"')).length;

describe('asynq-operator dev', () => {
  it('takes a queue from no workers to some, and back when it is empty', async () => {
    await write('a.yaml', manifest('a'));
    await write('handlers.mjs', handlers());
    await using operator = startDev();
    await operator.until(() => operator.condition('a', 'Ready')?.status === 'True', 'the queue to be ready');
    expect(operator.status('a')).toMatchObject({
      queue,
      replicas: 0,
      desiredReplicas: 0,
      keySlot: expect.any(Number),
    });
    expect(await operator.workers()).toEqual([]);

    await enqueue(10);
    await operator.ready('a', 2);
    await operator.until(() => worked(operator) === 10, 'all tasks to be worked on');
    await operator.ready('a', 0);
    expect(operator.events('a').filter((event) => event.startsWith('Scaled'))).toEqual([
      expect.stringMatching(/^ScaledUp 0 -> 2 replicas/),
      expect.stringMatching(/^ScaledDown 2 -> 0 replicas/),
    ]);
    await until(async () => (await operator.workers()).length === 0);
  });

  it('says what is wrong with the manifests, and starts nothing', async () => {
    await write('a.yaml', manifest('a', { scaling: ', minReplicas: 3' }));
    await write('b.yaml', manifest('b', { scaling: ', maxReplica: 3' }));
    const { code, stdout, stderr } = await runBin('asynq-operator', ['dev', folder]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: .*a\.yaml:7:\d+: spec\.scaling\.minReplicas: .*must not be greater/m);
    expect(stderr).toMatch(/^error: .*b\.yaml:7:\d+: spec\.scaling\.maxReplica: unknown field/m);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
  });

  it('says how to name a Redis when there is none, and starts nothing', async () => {
    await write('a.yaml', manifest('a'));
    await write('handlers.mjs', handlers());
    const { code, stdout, stderr } = await runBin('asynq-operator', ['dev', folder]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: no Redis: expected --redis-addrs .* or ASYNQ_REDIS_ADDRS, .*\n$/);
  });

  it('keeps the workers when a manifest is broken by an edit, and takes the mended one', async () => {
    await write('a.yaml', manifest('a', { scaling: ', minReplicas: 1' }));
    await write('handlers.mjs', handlers());
    await using operator = startDev();
    await operator.ready('a', 1);
    const before = await operator.workers();
    await write('a.yaml', manifest('a', { scaling: ', minReplicas: one' }));
    await operator.until(() => operator.faults.length > 0, 'the fault');
    expect(operator.faults).toEqual([
      expect.stringMatching(/a\.yaml:7:\d+: spec\.scaling\.minReplicas: expected integer, got "one"$/),
    ]);
    expect(await operator.workers()).toEqual(before);
    await write('a.yaml', manifest('a', { scaling: ', minReplicas: 2' }));
    await operator.ready('a', 2);
    expect(operator.edits).toEqual(['a was edited: scaling.minReplicas 1 -> 2']);
    expect(await operator.workers()).toEqual(expect.arrayContaining(before));
  });

  it('lets the workers go with their AsynqQueue', async () => {
    await write('a.yaml', manifest('a', { scaling: ', minReplicas: 1' }));
    await write(
      'b.yaml',
      manifest('b', { scaling: ', minReplicas: 0' }).replace(queue, uniqueQueue('other')),
    );
    await write('handlers.mjs', handlers());
    await using operator = startDev();
    await operator.ready('a', 1);
    await rm(join(folder, 'a.yaml'));
    await until(async () => (await operator.workers()).length === 0, { timeout: 15_000 });
  });

  it('reports a module that does not load with its last words, and takes the mended one at once', async () => {
    await write('a.yaml', manifest('a', { scaling: ', minReplicas: 1' }));
    await write('handlers.mjs', 'export default { work: 42 };');
    await using operator = startDev();
    await operator.until(
      () => operator.condition('a', 'WorkersAvailable')?.status === 'False',
      'the crash to be told',
    );
    expect(operator.condition('a', 'WorkersAvailable')).toMatchObject({
      reason: 'CrashLoopBackOff',
      message: expect.stringMatching(/exit code 1: handlers module .*handlers\.mjs: .*got number/),
    });
    await enqueue(10);
    await write('handlers.mjs', handlers());
    await operator.until(() => worked(operator) === 10, 'the mended module to work');
    expect(operator.condition('a', 'WorkersAvailable')?.status).toBe('True');
  });

  it('runs modules of a ConfigMap and passes on plain variables of the template', async () => {
    const worker =
      'handlers: { configMapRef: { name: code, key: main.mjs } }, template: { spec: { containers: [{ name: worker, env: [{ name: GREETING, value: hola }] }] } }';
    const code = handlers().replace(
      'export default {',
      "import { name } from './name.mjs';\nexport default {\n  [name]: null,",
    );
    const configMap = (text: string) => `---
apiVersion: v1
kind: ConfigMap
metadata: { name: code }
data:
  name.mjs: 'export const name = "other";'
  main.mjs: |
${text.replaceAll(/^/gm, '    ')}
`;
    await write(
      'a.yaml',
      manifest('a', { worker, more: configMap(code.replace('[name]: null,', '[name]: () => {},')) }),
    );
    await using operator = startDev();
    await enqueue(1);
    await operator.until(() => worked(operator) === 1, 'the task to be worked on');
    expect(operator.output.find((line) => line.includes('worked'))).toContain('"greeting":"hola"');
  });

  it('stalls a queue whose Secret is missing, and serves the others', async () => {
    await write('a.yaml', manifest('a', { scaling: ', minReplicas: 1', more: withSecret }));
    await write(
      'b.yaml',
      manifest('b', { scaling: ', minReplicas: 1' }).replace(queue, uniqueQueue('other')),
    );
    await write('handlers.mjs', handlers());
    await using operator = startDev();
    await operator.ready('b', 1);
    await operator.until(() => operator.condition('a', 'Stalled') !== undefined, 'the queue to be stalled');
    expect(operator.condition('a', 'Stalled')).toMatchObject({
      status: 'True',
      reason: 'RedisSecretMissing',
      message: 'missing in default: Secret my-redis with key password',
    });
  });

  const withSecret = `  redis: { addrs: ['${addrs[0]}'], passwordSecretRef: { name: my-redis } }\n`;

  it('takes a Secret from the environment', async () => {
    await write('a.yaml', manifest('a', { more: withSecret }));
    await write('handlers.mjs', handlers());
    await using operator = startDev({ ASYNQ_SECRET_MY_REDIS_PASSWORD: password });
    await enqueue(1);
    await operator.until(() => worked(operator) === 1, 'the task to be worked on');
    expect(operator.condition('a', 'Stalled')).toBeUndefined();
  });

  it('stalls a queue whose password is wrong, without workers', async () => {
    await write('a.yaml', manifest('a', { more: withSecret }));
    await write('handlers.mjs', handlers());
    await using operator = startDev({ ASYNQ_SECRET_MY_REDIS_PASSWORD: 'wrong' });
    await operator.until(
      () => operator.condition('a', 'Stalled')?.reason === 'RedisAuthFailed',
      'RedisAuthFailed',
    );
    expect(await operator.workers()).toEqual([]);
  });

  it('stalls a queue that wants a cluster of a standalone Redis', async () => {
    await write('a.yaml', manifest('a', { more: `  redis: { addrs: ['${testRedis().addr}'] }\n` }));
    await write('handlers.mjs', handlers());
    await using operator = startDev();
    await operator.until(() => operator.condition('a', 'Stalled') !== undefined, 'the queue to be stalled');
    expect(operator.condition('a', 'Stalled')?.reason).toBe('RedisNotACluster');
  });

  it('says what has no meaning without Kubernetes', async () => {
    await write('a.yaml', manifest('a', { worker: "image: 'workers:1'" }));
    await using operator = startDev();
    await operator.until(() => operator.condition('a', 'Stalled') !== undefined, 'the queue to be stalled');
    expect(operator.condition('a', 'Stalled')).toMatchObject({
      reason: 'InvalidTemplate',
      message: expect.stringContaining('spec.worker.handlers'),
    });
    expect(operator.log.join('\n')).toContain('images are not run here');
  });

  it('holds the queue to the limits of its manifest, which its workers keep to', async () => {
    await write('a.yaml', manifest('a', { more: '  limits: { ratePerSecond: 5 }\n' }));
    await write('handlers.mjs', handlers());
    await using operator = startDev();
    await operator.until(() => operator.condition('a', 'LimitsEnforced')?.status === 'True', 'the limits');
    expect(await getQueueLimits({ addrs, password }, queue)).toEqual({ ratePerSecond: 5 });
    await enqueue(8);
    await operator.until(() => worked(operator) === 8, 'all tasks to be worked on');
    const starts = operator.output
      .filter((line) => line.includes('"msg":"worked"'))
      .map((line) => Date.parse(JSON.parse(line.slice(line.indexOf('{'))).time));
    // 8 = 1 + 5 * (t + 0.1)
    expect(Math.max(...starts) - Math.min(...starts)).toBeGreaterThan(1_200);
    await write('a.yaml', manifest('a'));
    await operator.until(() => operator.condition('a', 'LimitsEnforced') === undefined, 'none');
    expect(await getQueueLimits({ addrs, password }, queue)).toBeUndefined();
  });

  it('finishes running tasks on a signal and takes its workers with it', async () => {
    await write(
      'a.yaml',
      manifest('a', { scaling: ', minReplicas: 1, maxReplicas: 1' }).replace(', maxReplicas: 2', ''),
    );
    await write('handlers.mjs', handlers(1_500));
    const operator = startDev();
    await operator.ready('a', 1);
    await enqueue(2);
    await until(async () => (await redis.llen(new QueueKeys(queue).active)) === 2);
    operator.kill('SIGINT');
    expect(await operator.ended).toBe(0);
    expect(worked(operator)).toBe(2);
    expect(await operator.processes()).toEqual([]);
  });

  it('takes its workers with it when it is killed', async () => {
    await write('a.yaml', manifest('a', { scaling: ', minReplicas: 2' }));
    await write('handlers.mjs', handlers());
    const operator = startDev();
    await operator.ready('a', 2);
    operator.kill('SIGKILL');
    expect(await operator.ended).toBe('SIGKILL');
    await until(async () => (await operator.processes()).length === 0, { timeout: 15_000 });
  });
});
