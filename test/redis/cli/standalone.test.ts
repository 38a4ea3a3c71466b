import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runBin } from '../../support/bin.ts';
import { testRedis, uniqueQueue } from '../../support/redis.ts';

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'asynq-home-'));
  await writeFile(join(home, '.asynq.yaml'), `uri: redis://${testRedis().addr}/0\n`);
});

afterAll(() => rm(home, { recursive: true }));

const asynq = (...args: string[]) => runBin('asynq', args, { env: { HOME: home } });
const notice = () => `Using config file: ${join(home, '.asynq.yaml')}\n`;

describe('asynq on one server, which the config file names', () => {
  it('lists queues by name only, and says on stderr where its settings are from', async () => {
    const queue = uniqueQueue('sola');
    const enqueued = await asynq('task', 'enqueue', '-t', 'x', '-l', '{}', '-q', queue, '-i', 'one');
    expect(enqueued).toEqual({ code: 0, stdout: `Enqueued task one to queue ${queue}\n`, stderr: notice() });
    const { code, stdout, stderr } = await asynq('queue', 'ls');
    expect({ code, stderr }).toEqual({ code: 0, stderr: notice() });
    expect(stdout.split('\n')).toContain(queue);
    expect(stdout).not.toContain('Cluster');
  });

  it('tells how Redis is', async () => {
    const { code, stdout } = await asynq('stats');
    expect(code).toBe(0);
    const table = stdout.slice(stdout.indexOf('Redis Info\n')).split('\n');
    expect(table[1]).toMatch(/^version +uptime +connections +memory usage +peak memory usage +$/);
    expect(table[3]).toMatch(/^\d+\.\d+\.\d+ +\d+ days +\d+ +[\d.]+[KMG]B +[\d.]+[KMG]B +$/);
    const json = JSON.parse((await asynq('stats', '--output', 'json')).stdout);
    expect(json).toMatchObject({
      aggregate: { pending: expect.any(Number), timestamp: expect.any(String) },
      redis: { redis_mode: 'standalone' },
    });
  });
});
