import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { readWorkerEnv, type WorkerEnv, writeWorkerEnv } from '../../../src/runtime/worker-env.ts';

const minimal = {
  ASYNQ_REDIS_ADDRS: 'redis:6379',
  ASYNQ_QUEUES: '{"imágenes":1}',
  ASYNQ_HANDLERS: '/app/handlers/index.js',
};

const word = fc.string({ minLength: 1, unit: 'grapheme' });
const addr = fc
  .tuple(fc.domain(), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => `${host}:${port}`);
const positive = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const file = word.map((name) => `/etc/tls/${name}`);
const optional = (fields: Record<string, fc.Arbitrary<unknown>>) => fc.record(fields, { requiredKeys: [] });

const tls = fc
  .tuple(
    optional({ caFile: file, serverName: fc.domain() }),
    fc.option(fc.tuple(file, file), { nil: undefined }),
  )
  .map(([rest, pair]) => (pair ? { ...rest, certFile: pair[0], keyFile: pair[1] } : rest));

const redis = fc
  .tuple(
    fc.oneof(
      fc.record({
        mode: fc.constant('Cluster'),
        addrs: fc.array(addr, { minLength: 1 }),
        db: fc.constant(0),
      }),
      fc.record({ mode: fc.constant('Standalone'), addrs: addr.map((one) => [one]), db: fc.nat(15) }),
    ),
    optional({ username: word, password: word, tls }),
  )
  .map(([base, rest]) => ({ ...base, ...rest }));

const workerEnv: fc.Arbitrary<WorkerEnv> = fc
  .tuple(
    fc.record({
      redis,
      queues: fc.dictionary(
        word.filter((name) => name.trim() !== ''),
        positive,
        { minKeys: 1 },
      ),
      concurrency: positive,
      handlers: file,
      shutdownTimeoutSeconds: fc.nat(100_000),
    }),
    optional({
      podName: word,
      groups: fc.record({ gracePeriodSeconds: positive, maxSize: fc.nat(), maxDelaySeconds: fc.nat() }),
    }),
  )
  .map(([base, rest]) => ({ ...base, ...rest }));

describe('the environment of a worker', () => {
  test('reads what was written', () => {
    fc.assert(
      fc.property(workerEnv, (env) => {
        expect(readWorkerEnv(writeWorkerEnv(env))).toEqual(env);
      }),
    );
  });

  test('has defaults for a worker that is started by hand', () => {
    expect(readWorkerEnv(minimal)).toEqual({
      redis: { mode: 'Cluster', addrs: ['redis:6379'], db: 0 },
      queues: { imágenes: 1 },
      concurrency: 10,
      handlers: '/app/handlers/index.js',
      shutdownTimeoutSeconds: 8,
    });
  });

  test('a file of TLS switches TLS on, unless it is said to be off', () => {
    const ca = { ...minimal, ASYNQ_REDIS_TLS_CA_FILE: '/ca.pem' };
    expect(readWorkerEnv(ca).redis.tls).toEqual({ caFile: '/ca.pem' });
    expect(readWorkerEnv({ ...ca, ASYNQ_REDIS_TLS: 'false' }).redis.tls).toBeUndefined();
    expect(readWorkerEnv({ ...minimal, ASYNQ_REDIS_TLS: 'true' }).redis.tls).toEqual({});
  });

  test('groups are left alone unless they are named, and have the defaults of asynq', () => {
    expect(readWorkerEnv(minimal)).not.toHaveProperty('groups');
    expect(readWorkerEnv({ ...minimal, ASYNQ_GROUPS: '{"maxSize":20}' }).groups).toEqual({
      gracePeriodSeconds: 60,
      maxSize: 20,
      maxDelaySeconds: 0,
    });
  });

  test('takes a queue by any name that JSON can spell', () => {
    const queues = { 'a,b': 1, '{x}': 2, '🦊 :': 3, ['__proto__']: 4 };
    const read = readWorkerEnv({ ...minimal, ASYNQ_QUEUES: JSON.stringify(queues) });
    expect(Object.entries(read.queues)).toEqual(Object.entries(queues));
  });

  test.each([
    [{ ASYNQ_REDIS_MODE: 'cluster' }, 'ASYNQ_REDIS_MODE: expected Cluster or Standalone, got "cluster"'],
    [{ ASYNQ_REDIS_ADDRS: '' }, 'ASYNQ_REDIS_ADDRS: expected a comma list of host:port, got nothing'],
    [{ ASYNQ_REDIS_ADDRS: 'a:1,b' }, 'ASYNQ_REDIS_ADDRS: expected a comma list of host:port, got "b"'],
    [
      { ASYNQ_REDIS_ADDRS: 'a:65536' },
      'ASYNQ_REDIS_ADDRS: expected a comma list of host:port, got "a:65536"',
    ],
    [
      { ASYNQ_REDIS_MODE: 'Standalone', ASYNQ_REDIS_ADDRS: 'a:1,b:2' },
      'ASYNQ_REDIS_ADDRS: expected one address, as ASYNQ_REDIS_MODE is Standalone, got "a:1,b:2"',
    ],
    [{ ASYNQ_REDIS_DB: '1' }, 'ASYNQ_REDIS_DB: expected 0, the only database of a Redis Cluster, got "1"'],
    [{ ASYNQ_REDIS_DB: '-1' }, 'ASYNQ_REDIS_DB: expected a whole number from 0, got "-1"'],
    [{ ASYNQ_REDIS_TLS: 'yes' }, 'ASYNQ_REDIS_TLS: expected true or false, got "yes"'],
    [
      { ASYNQ_REDIS_TLS_CERT_FILE: '/c.pem' },
      'ASYNQ_REDIS_TLS_KEY_FILE: expected a path: certificate and key go together, got nothing',
    ],
    [{ ASYNQ_QUEUES: undefined }, /^ASYNQ_QUEUES: expected a JSON object .*, got nothing$/],
    [{ ASYNQ_QUEUES: '["default"]' }, /^ASYNQ_QUEUES: expected a JSON object .*, got "\[\\"default\\"\]"$/],
    [{ ASYNQ_QUEUES: '{}' }, /^ASYNQ_QUEUES: expected .* with at least one queue, got "\{\}"$/],
    [{ ASYNQ_QUEUES: '{"a":0}' }, /^ASYNQ_QUEUES: expected .*\(a whole number from 1\)/],
    [{ ASYNQ_QUEUES: '{" ":1}' }, /^ASYNQ_QUEUES: expected queue names that are not blank/],
    [{ ASYNQ_QUEUES: 'default' }, /^ASYNQ_QUEUES: expected a JSON object .*, got "default"$/],
    [
      { ASYNQ_GROUPS: '{"gracePeriodSeconds":0}' },
      /^ASYNQ_GROUPS: expected a JSON object .*, got "\{\\"gracePeriodSeconds\\":0\}"$/,
    ],
    [{ ASYNQ_GROUPS: '{"size":3}' }, /^ASYNQ_GROUPS: expected a JSON object/],
    [{ ASYNQ_GROUPS: 'true' }, /^ASYNQ_GROUPS: expected a JSON object .*, got "true"$/],
    [{ ASYNQ_CONCURRENCY: '0' }, 'ASYNQ_CONCURRENCY: expected a whole number from 1, got "0"'],
    [{ ASYNQ_CONCURRENCY: '1e3' }, 'ASYNQ_CONCURRENCY: expected a whole number from 1, got "1e3"'],
    [
      { ASYNQ_SHUTDOWN_TIMEOUT_SECONDS: '8s' },
      'ASYNQ_SHUTDOWN_TIMEOUT_SECONDS: expected a whole number from 0, got "8s"',
    ],
    [
      { ASYNQ_HANDLERS: undefined },
      "ASYNQ_HANDLERS: expected the path of the module with the tasks' handlers, got nothing",
    ],
  ])('names the variable, what was expected and what came: %j', (change, message) => {
    const error = failure({ ...minimal, ...change });
    expect(error.code).toBe('ASYNQ_CONFIG_INVALID');
    expect(error.message).toMatch(message);
  });

  test('says all that is missing and wrong at once', () => {
    const { message } = failure({
      ASYNQ_REDIS_MODE: 'cluster',
      ASYNQ_CONCURRENCY: '0',
      ASYNQ_REDIS_TLS: 'no',
    });
    expect(message.split('; ').map((fault) => fault.split(':')[0])).toEqual([
      'ASYNQ_REDIS_MODE',
      'ASYNQ_REDIS_ADDRS',
      'ASYNQ_REDIS_TLS',
      'ASYNQ_QUEUES',
      'ASYNQ_CONCURRENCY',
      'ASYNQ_HANDLERS',
    ]);
  });

  test('never shows a password that was put into the addresses', () => {
    const error = failure({ ...minimal, ASYNQ_REDIS_ADDRS: 'redis://:hunter2@redis:6379' });
    expect(error.message).toBe('ASYNQ_REDIS_ADDRS: expected a comma list of host:port, got something else');
  });
});

function failure(env: Record<string, string | undefined>): AsynqError {
  try {
    readWorkerEnv(env);
  } catch (error) {
    if (AsynqError.is(error)) return error;
    throw error;
  }
  throw new Error('expected readWorkerEnv to throw');
}
