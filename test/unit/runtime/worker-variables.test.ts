import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readWorkerEnv, type WorkerEnv, writeWorkerEnv } from '../../../src/runtime/worker-env.ts';
import { WORKER_VARIABLES } from '../../../src/runtime/worker-variables.ts';

const page = readFileSync(new URL('../../../docs/worker.md', import.meta.url), 'utf8');
const names = WORKER_VARIABLES.map(({ name }) => name);
const required = WORKER_VARIABLES.filter(({ fallback }) => fallback === undefined).map(({ name }) => name);

const full: WorkerEnv = {
  redis: {
    mode: 'Standalone',
    addrs: ['redis:6379'],
    db: 1,
    username: 'u',
    password: 'p',
    tls: { caFile: 'ca', certFile: 'cert', keyFile: 'key', serverName: 'redis' },
  },
  queues: { webhooks: 1 },
  concurrency: 5,
  handlers: 'index.mjs',
  shutdownTimeoutSeconds: 3,
  groups: { gracePeriodSeconds: 1, maxSize: 2, maxDelaySeconds: 3 },
  podName: 'pod',
};

describe('the variables of a worker', () => {
  it.each(WORKER_VARIABLES)('$name stands in docs/worker.md as it is', ({ name, meaning, fallback }) => {
    expect(page).toContain(`| \`${name}\` | ${meaning} | ${fallback ?? 'required'} |`);
  });

  it('are those that a worker reads and the operator writes; LOG_LEVEL is a flag, too', () => {
    const read = new Set<string>();
    const env = new Proxy(writeWorkerEnv(full), {
      get: (target, name) => {
        read.add(String(name));
        return Reflect.get(target, name) as string | undefined;
      },
    });
    readWorkerEnv(env);
    expect([...read, 'LOG_LEVEL'].toSorted()).toEqual(names.toSorted());
    expect([...Object.keys(writeWorkerEnv(full)), 'LOG_LEVEL'].toSorted()).toEqual(names.toSorted());
  });

  it('are required where that is said, and have the defaults that are said', () => {
    const least = Object.fromEntries(
      Object.entries(writeWorkerEnv(full)).filter(([name]) => required.includes(name)),
    );
    const { redis, concurrency, shutdownTimeoutSeconds } = readWorkerEnv(least);
    const said = (name: string) => WORKER_VARIABLES.find((variable) => variable.name === name)?.fallback;
    expect(said('ASYNQ_REDIS_MODE')).toBe(redis.mode);
    expect(said('ASYNQ_REDIS_DB')).toBe(String(redis.db));
    expect(said('ASYNQ_CONCURRENCY')).toBe(String(concurrency));
    expect(said('ASYNQ_SHUTDOWN_TIMEOUT_SECONDS')).toBe(String(shutdownTimeoutSeconds));
    for (const name of required) {
      expect(() => readWorkerEnv({ ...least, [name]: '' })).toThrow(new RegExp(`^${name}: .* got nothing$`));
    }
  });
});
