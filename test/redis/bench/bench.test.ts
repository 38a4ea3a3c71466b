import { fileURLToPath } from 'node:url';
import { Cluster } from 'ioredis';
import { expect, test } from 'vitest';
import { Bench } from '../../../bench/measure.ts';
import { startRedisCluster } from '../../lab/redis-cluster.ts';
import { run } from '../../lab/run.ts';

const MAIN = fileURLToPath(new URL('../../../bench/main.ts', import.meta.url));

test('the bench measures both sides and ends with one line of ratios', async () => {
  const output = await run(process.execPath, [MAIN, '--pairs', '1', '--tasks', '300', '--output', 'json']);
  const { ratios } = JSON.parse(output) as { ratios: Record<string, number> };

  expect(Object.keys(ratios)).toEqual([
    'drain.c10',
    'drain.c10.redis',
    'drain.c100',
    'drain.c100.redis',
    'enqueue',
    'enqueue.redis',
  ]);
  for (const ratio of Object.values(ratios)) expect(ratio).toBeGreaterThan(0);
}, 60_000);

test('what a measurement put into its queue is gone before the next', async () => {
  await using cluster = await startRedisCluster({ replicas: 0 });
  await using bench = await Bench.on(cluster.addrs);
  for (const side of ['go', 'ours'] as const) {
    await bench.measure(side, { name: 'enqueue', mode: 'enqueue', concurrency: 4, tasks: 2_100 }, 'bench');
  }
  const raw = new Cluster([...cluster.addrs]);
  expect(await raw.smembers('asynq:queues')).toEqual(['bench']);
  const keys = (await Promise.all(raw.nodes('master').map((node) => node.keys('asynq:{bench}:*')))).flat();
  raw.disconnect();
  expect(keys).toEqual([]);
}, 60_000);
