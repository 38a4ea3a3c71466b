import { describe, expect, it } from 'vitest';
import { readOperatorDefault } from '../../../src/operator/operator-settings.ts';
import { connectionOptions, resolveRedis, secretKeys } from '../../../src/operator/redis-settings.ts';
import { queueOf } from './builders.ts';

describe("the operator's default connection", () => {
  it('is none without addresses', () => {
    expect(readOperatorDefault({})).toBeUndefined();
    expect(readOperatorDefault({ ASYNQ_REDIS_ADDRS: '' })).toBeUndefined();
  });

  it('is a cluster unless something else is said', () => {
    expect(readOperatorDefault({ ASYNQ_REDIS_ADDRS: 'a:1, b:2' })).toEqual({
      mode: 'Cluster',
      addrs: ['a:1', 'b:2'],
    });
  });

  it('takes addresses only, and shows no password of a URL', () => {
    const read = (addrs: string) => () => readOperatorDefault({ ASYNQ_REDIS_ADDRS: addrs });
    expect(read('a:1, redis')).toThrow('ASYNQ_REDIS_ADDRS: expected host:port,host:port,..., got "redis"');
    expect(read('a:1,redis://:s3cret@h:6379')).toThrow(/got something with an @$/);
  });

  it('names Secrets, and never what they hold', () => {
    const read = readOperatorDefault({
      ASYNQ_REDIS_ADDRS: 'a:1',
      ASYNQ_REDIS_MODE: 'Standalone',
      ASYNQ_REDIS_DB: '3',
      ASYNQ_REDIS_USERNAME: 'worker',
      ASYNQ_REDIS_PASSWORD_SECRET: 'redis',
      ASYNQ_REDIS_TLS: 'true',
      ASYNQ_REDIS_TLS_CA_SECRET: 'ca',
      ASYNQ_REDIS_TLS_CA_SECRET_KEY: 'root.pem',
      ASYNQ_REDIS_TLS_CERT_SECRET: 'cert',
      ASYNQ_REDIS_TLS_SERVER_NAME: 'redis.internal',
    });
    expect(read).toEqual({
      mode: 'Standalone',
      addrs: ['a:1'],
      db: 3,
      username: 'worker',
      passwordSecretRef: { name: 'redis', key: 'password' },
      tls: {
        enabled: true,
        caSecretRef: { name: 'ca', key: 'root.pem' },
        certSecretRef: { name: 'cert' },
        serverName: 'redis.internal',
      },
    });
  });

  it.each([
    [{ ASYNQ_REDIS_MODE: 'Sentinel' }, 'ASYNQ_REDIS_MODE: expected Cluster or Standalone, got "Sentinel"'],
    [{ ASYNQ_REDIS_DB: '1' }, 'ASYNQ_REDIS_DB: expected 0, as in a cluster, got "1"'],
    [{ ASYNQ_REDIS_DB: 'x' }, 'ASYNQ_REDIS_DB: expected a whole number, got "x"'],
    [{ ASYNQ_REDIS_TLS: 'yes' }, 'ASYNQ_REDIS_TLS: expected true or false, got "yes"'],
  ])('is refused: %o', (env, message) => {
    expect(() => readOperatorDefault({ ASYNQ_REDIS_ADDRS: 'a:1', ...env })).toThrow(message);
  });
});

describe('the connection of a queue', () => {
  const redis = {
    mode: 'Cluster',
    addrs: ['a:1'],
    username: 'worker',
    passwordSecretRef: { name: 'redis', key: 'password' },
    tls: { enabled: true, caSecretRef: { name: 'ca', key: 'ca.crt' }, certSecretRef: { name: 'cert' } },
  } as const;
  const HELD: Record<string, string> = {
    'media/redis/password': 'secret',
    'media/ca/ca.crt': 'CA',
    'media/cert/tls.crt': 'CERT',
    'media/cert/tls.key': 'KEY',
  };
  const source = (held = HELD) => ({
    secret: async (namespace: string, name: string, key: string) => held[`${namespace}/${name}/${key}`],
  });

  it('holds what its Secrets hold', async () => {
    const resolved = await resolveRedis(queueOf({}, { redis }), undefined, source());
    expect(resolved.kind === 'ready' && connectionOptions(resolved.settings)).toEqual({
      addrs: ['a:1'],
      username: 'worker',
      password: 'secret',
      tls: { ca: 'CA', cert: 'CERT', key: 'KEY' },
    });
    expect(secretKeys(redis).map(({ name, key }) => `media/${name}/${key}`)).toEqual(Object.keys(HELD));
  });

  it("is the operator's, with the Secrets of the queue's namespace, where it has none of its own", async () => {
    const { redis: _none, ...spec } = queueOf().spec;
    const queue = { ...queueOf({ namespace: 'other' }), spec };
    const resolved = await resolveRedis(queue, redis, source());
    expect(resolved).toMatchObject({
      kind: 'refused',
      refusal: {
        reason: 'RedisSecretMissing',
        message: expect.stringContaining('missing in other: Secret redis'),
      },
    });
    expect(await resolveRedis(queue, undefined, source())).toMatchObject({
      refusal: { reason: 'RedisNotConfigured' },
    });
  });

  it('names all that is missing', async () => {
    const resolved = await resolveRedis(queueOf({}, { redis }), undefined, source({}));
    expect(resolved.kind === 'refused' && resolved.refusal.message).toBe(
      'missing in media: Secret redis with key password, Secret ca with key ca.crt, Secret cert with key tls.crt, Secret cert with key tls.key',
    );
  });

  it('leaves the certificates alone while TLS is off', async () => {
    const off = { ...redis, tls: { ...redis.tls, enabled: false } };
    const resolved = await resolveRedis(queueOf({}, { redis: off }), undefined, source());
    expect(resolved.kind === 'ready' && connectionOptions(resolved.settings)).not.toHaveProperty('tls');
  });
});
