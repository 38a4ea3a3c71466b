import { fileURLToPath } from 'node:url';
import { Cluster } from 'ioredis';
import { expect, test } from 'vitest';
import { Bench } from '../../../bench/measure.ts';
import { startRedisCluster } from '../../lab/redis-cluster.ts';
import { run } from '../../lab/run.ts';

const MAIN = fileURLToPath(new URL('../../../bench/main.ts', import.meta.url));

test('the bench measures both sides, and ours alone, and ends with one line of JSON', async () => {
  const args = [MAIN, '--pairs', '1', '--tasks', '60', '--output', 'json'];
  const output = await run(process.execPath, args, { timeout: 170_000 });
  const { ratios, latencies, goals } = JSON.parse(output) as {
    ratios: Record<string, number>;
    latencies: Record<string, Record<string, number>>;
    goals: { figure: string; isMet: boolean }[];
  };

  const cases = ['drain.c10', 'drain.c100', 'enqueue', 'enqueueMany'];
  const sizes = ['1kB', '16kB'].flatMap((size) => [`drain.c100.${size}`, `enqueueMany.${size}`]);
  expect(Object.keys(ratios)).toEqual([
    ...[...cases, ...sizes].flatMap((name) => [name, `${name}.redis`]),
    'idleWorkers.redis',
    'idleWorkers.bytes',
  ]);
  for (const ratio of Object.values(ratios)) expect(ratio).toBeGreaterThan(0);
  expect(Object.keys(latencies)).toEqual(['pickUp', 'pickUpFloor', 'scheduled', 'openLoop']);
  for (const { p50 } of Object.values(latencies)) expect(p50).toBeGreaterThan(0);
  expect(goals).toHaveLength(11);
}, 180_000);

test('what a measurement put into its queue is gone before the next', async () => {
  await using cluster = await startRedisCluster({ replicas: 0 });
  await using bench = await Bench.on(cluster.addrs);
  for (const side of ['go', 'ours'] as const) {
    const one = { name: 'enqueue', mode: 'enqueue', concurrency: 4, tasks: 2_100, payloadBytes: 64 } as const;
    await bench.measure(side, one, 'bench');
  }
  const raw = new Cluster([...cluster.addrs]);
  expect(await raw.smembers('asynq:queues')).toEqual(['bench']);
  const keys = (await Promise.all(raw.nodes('master').map((node) => node.keys('asynq:{bench}:*')))).flat();
  raw.disconnect();
  expect(keys).toEqual([]);
}, 60_000);
