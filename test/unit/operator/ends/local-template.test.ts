import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AsynqQueue, AsynqQueueSpec, RedisSpec } from '../../../../src/operator/asynq-queue.ts';
import type { LocalTemplate } from '../../../../src/operator/ends/local-deployment.ts';
import { localTemplate } from '../../../../src/operator/ends/local-template.ts';
import { MountedFiles } from '../../../../src/operator/ends/mounted-files.ts';
import { readWorkerEnv } from '../../../../src/runtime/worker-env.ts';

let folder: string;
let files: MountedFiles;
let secrets: Record<string, string>;
let configMap: Record<string, string> | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'asynq-local-template-'));
  files = new MountedFiles();
  secrets = {};
  configMap = undefined;
  await writeFile(join(folder, 'handlers.mjs'), 'export default {};');
});

afterEach(async () => {
  await files.remove();
  await rm(folder, { recursive: true });
});

const WORKER = { handlers: { path: './handlers.mjs' }, concurrency: 7, drainTimeoutSeconds: 20 };
const REDIS: RedisSpec = { mode: 'Cluster', addrs: ['a:1', 'b:2'] };

function queueOf(spec: Partial<AsynqQueueSpec>): AsynqQueue {
  const metadata = { name: 'imagenes', namespace: 'media', uid: '1', generation: 1, creationTimestamp: '' };
  return { metadata, spec: { queue: 'imágenes', worker: WORKER, ...spec } as AsynqQueueSpec };
}

function answer(spec: Partial<AsynqQueueSpec> = {}, env: Record<string, string> = {}) {
  return localTemplate(queueOf(spec), {
    source: {
      fileOf: () => join(folder, 'queues.yaml'),
      secret: async (namespace, name, key) => secrets[`${namespace}/${name}/${key}`],
      configMap: () => configMap,
    },
    operatorDefault: REDIS,
    files,
    env,
  });
}

async function template(
  spec?: Partial<AsynqQueueSpec>,
  env?: Record<string, string>,
): Promise<LocalTemplate> {
  const answered = await answer(spec, env);
  if (answered.kind === 'refused') throw new Error(answered.refusal.message);
  return answered.template;
}

describe('localTemplate', () => {
  it('tells the worker what a pod would be told', async () => {
    const { env, drainTimeoutMs } = await template();
    expect(readWorkerEnv(env)).toEqual({
      redis: { mode: 'Cluster', addrs: ['a:1', 'b:2'], db: 0 },
      queues: { imágenes: 1 },
      concurrency: 7,
      handlers: join(folder, 'handlers.mjs'),
      shutdownTimeoutSeconds: 20,
    });
    expect(drainTimeoutMs).toBe(20_000);
  });

  it('tells the worker when groups are ready, where its queue has groups', async () => {
    const groups = { gracePeriodSeconds: 5, maxSize: 20, maxDelaySeconds: 0 };
    const { env } = await template({ worker: { ...WORKER, groups } });
    expect(readWorkerEnv(env).groups).toEqual(groups);
  });

  it('passes the environment on, but nothing in it that a worker would take for its own', async () => {
    const { env } = await template(
      {},
      { PATH: '/bin', DATABASE_URL: 'x', ASYNQ_QUEUES: '{"other":1}', POD_NAME: 'me' },
    );
    expect(env).toMatchObject({ PATH: '/bin', DATABASE_URL: 'x', ASYNQ_QUEUES: '{"imágenes":1}' });
    expect(env).not.toHaveProperty('POD_NAME');
  });

  it('adds plain variables of the template, which cannot take the place of ours', async () => {
    const variables = [
      { name: 'GREETING', value: 'hola' },
      { name: 'FROM_SECRET', valueFrom: {} },
      { name: 'ASYNQ_CONCURRENCY', value: '99' },
    ];
    const containers = [
      { name: 'other', env: [{ name: 'NOT_OURS', value: 'x' }] },
      { name: 'worker', env: variables },
    ];
    const { env } = await template({ worker: { ...WORKER, template: { spec: { containers } } } });
    expect(env).toMatchObject({ GREETING: 'hola', ASYNQ_CONCURRENCY: '7' });
    expect(env).not.toHaveProperty('FROM_SECRET');
    expect(env).not.toHaveProperty('NOT_OURS');
  });

  it('hands over passwords and certificates of Secrets, for no other eyes', async () => {
    const redis: RedisSpec = {
      ...REDIS,
      username: 'worker',
      passwordSecretRef: { name: 'redis', key: 'password' },
      tls: { enabled: true, caSecretRef: { name: 'ca', key: 'ca.crt' }, certSecretRef: { name: 'client' } },
    };
    secrets = {
      'media/redis/password': 'secret',
      'media/ca/ca.crt': 'CA',
      'media/client/tls.crt': 'CERT',
      'media/client/tls.key': 'KEY',
    };
    const { redis: told } = readWorkerEnv((await template({ redis })).env);
    expect(told).toMatchObject({ username: 'worker', password: 'secret' });
    const { caFile = '', certFile = '', keyFile = '' } = told.tls ?? {};
    expect(await Promise.all([caFile, certFile, keyFile].map((file) => readFile(file, 'utf8')))).toEqual([
      'CA',
      'CERT',
      'KEY',
    ]);
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    await files.remove();
    await expect(stat(keyFile)).rejects.toThrow('ENOENT');
  });

  it('has another revision when anything of it changed, and the same one otherwise', async () => {
    const { revision } = await template();
    expect((await template()).revision).toBe(revision);
    expect((await template({}, { PATH: '/elsewhere' })).revision).toBe(revision);
    expect((await template({ worker: { ...WORKER, concurrency: 8 } })).revision).not.toBe(revision);
    expect((await template({ redis: { ...REDIS, addrs: ['a:1'] } })).revision).not.toBe(revision);
    await writeFile(join(folder, 'handlers.mjs'), 'export default { changed: () => {} };');
    expect((await template()).revision).not.toBe(revision);
  });

  it('takes the file beside the manifest for a ConfigMap that no manifest holds', async () => {
    const worker = { ...WORKER, handlers: { configMapRef: { name: 'code', key: 'handlers.mjs' } } };
    expect((await template({ worker })).env['ASYNQ_HANDLERS']).toBe(join(folder, 'handlers.mjs'));
    configMap = { 'main.mjs': 'one' };
    expect(await answer({ worker })).toMatchObject({ refusal: { reason: 'HandlersMissing' } });
  });

  it('writes the files of a ConfigMap where they find this package, anew when they change', async () => {
    const worker = { ...WORKER, handlers: { configMapRef: { name: 'code', key: 'main.mjs' } } };
    configMap = { 'main.mjs': 'one', 'other.mjs': 'two' };
    const first = await template({ worker });
    const path = first.env['ASYNQ_HANDLERS'] ?? '';
    expect(await readFile(path, 'utf8')).toBe('one');
    expect(await readFile(join(path, '../other.mjs'), 'utf8')).toBe('two');
    expect(createRequire(path).resolve('asynq-operator/package.json')).toBe(
      createRequire(import.meta.url).resolve('../../../../package.json'),
    );
    expect(await template({ worker })).toEqual(first);
    configMap = { 'main.mjs': 'three' };
    const second = await template({ worker });
    expect(second.revision).not.toBe(first.revision);
    expect(await readFile(path, 'utf8')).toBe('one');
  });

  it.each([
    ['no handlers', { worker: { ...WORKER, handlers: undefined } }, 'InvalidTemplate'],
    [
      'a workload of others',
      { worker: undefined, workerRef: { kind: 'Deployment', name: 'w' } },
      'InvalidTemplate',
    ],
    [
      'a module that is not there',
      { worker: { ...WORKER, handlers: { path: 'nowhere.mjs' } } },
      'HandlersMissing',
    ],
    [
      'a ConfigMap that is not there',
      { worker: { ...WORKER, handlers: { configMapRef: { name: 'code', key: 'main.mjs' } } } },
      'HandlersMissing',
    ],
    [
      'a Secret that is not there',
      { redis: { ...REDIS, passwordSecretRef: { name: 'redis', key: 'password' } } },
      'RedisSecretMissing',
    ],
  ])('refuses %s', async (_, spec, reason) => {
    expect(await answer(spec as Partial<AsynqQueueSpec>)).toMatchObject({
      kind: 'refused',
      refusal: { reason },
    });
  });
});
