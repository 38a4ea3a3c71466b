import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisOf } from '../../../src/server/worker-redis.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'worker-redis-'));
});
afterAll(() => rm(dir, { recursive: true }));

describe("a worker's Redis", () => {
  test('is a cluster by its nodes', async () => {
    const redis = { mode: 'Cluster', addrs: ['a:1', 'b:2'], db: 0, username: 'u', password: 'p' } as const;
    expect(await redisOf({ redis })).toEqual({ addrs: ['a:1', 'b:2'], username: 'u', password: 'p' });
  });

  test('is one server by its address and database', async () => {
    expect(await redisOf({ redis: { mode: 'Standalone', addrs: ['a:1'], db: 3 } })).toEqual({
      addr: 'a:1',
      db: 3,
    });
  });

  test('is spoken to in TLS with what the files hold', async () => {
    const caFile = join(dir, 'ca.pem');
    await writeFile(caFile, 'PEM');
    const redis = { mode: 'Cluster', addrs: ['a:1'], db: 0, tls: { caFile, serverName: 'redis' } } as const;
    expect(await redisOf({ redis })).toEqual({ addrs: ['a:1'], tls: { ca: 'PEM', serverName: 'redis' } });
  });

  test('cannot be had with a file that is not there', async () => {
    const redis = { mode: 'Cluster', addrs: ['a:1'], db: 0, tls: { caFile: '/nowhere.pem' } } as const;
    await expect(redisOf({ redis })).rejects.toThrow(
      /^ASYNQ_REDIS_TLS_CA_FILE: expected the path of a PEM file, got \/nowhere\.pem: ENOENT/,
    );
  });
});
