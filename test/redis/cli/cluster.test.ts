import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runAsynq } from '../../../src/cli/asynq.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { startRedisCluster } from '../../lab/redis-cluster.ts';
import { testRedis } from '../../support/redis.ts';
import { fakeTerminal } from '../../unit/cli/run.ts';

async function asynq(env: Record<string, string>, ...args: string[]) {
  const terminal = fakeTerminal({ env });
  const code = await runAsynq(args, { terminal });
  return { code, ...terminal.written };
}

describe('asynq cluster', () => {
  it('shows masters, and the load of the queues on them, as redis-cli places them', async () => {
    await using cluster = await startRedisCluster();
    await using client = new Client({ addrs: cluster.addrs });
    const counts = { default: 12, '{a}': 4, images: 3, low: 1 };
    for (const [queue, count] of Object.entries(counts)) {
      for (let n = 0; n < count; n++) await client.enqueue(new Task('x'), { queue });
    }
    const env = { CLUSTER_ADDRS: cluster.addrs.join(','), CLUSTER: '1' };

    const { code, out, err } = await asynq(env, 'cluster', '-o', 'json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const masters = JSON.parse(out) as {
      id: string;
      addr: string;
      slots: number;
      replicas: { addr: string }[];
      queues: { queue: string; keySlot: number; pending: number }[];
    }[];
    expect(masters.map(({ id }) => id).toSorted()).toEqual(
      (await Promise.all((await cluster.masters()).map((node) => cluster.idOf(node)))).toSorted(),
    );
    expect(masters.reduce((sum, { slots }) => sum + slots, 0)).toBe(16_384);
    expect(masters.every(({ replicas }) => replicas.length === 1)).toBe(true);
    for (const { addr, queues } of masters) {
      for (const { queue, keySlot, pending } of queues) {
        expect(keySlot).toBe(await cluster.keyslot(`asynq:{${queue}}:pending`));
        expect((await cluster.masterOfSlot(keySlot)).addr).toBe(addr);
        expect(pending).toBe(counts[queue as keyof typeof counts]);
      }
    }
    expect(masters.flatMap(({ queues }) => queues)).toHaveLength(4);
    expect(parse((await asynq(env, 'cluster', '-o', 'yaml')).out)).toHaveLength(3);
    const table = (await asynq(env, 'cluster')).out;
    expect(table).toMatch(/^Address +ID +Slots +Slot Ranges +Replicas +Queues +$/m);
    expect(table).toMatch(/^127\.0\.0\.1:\d+ +default +5718 +12 +12 +0 +\d+\.\ds +yes +$/m);
  });

  it('refuses one server', async () => {
    const { code, out, err } = await asynq({ URI: testRedis().addr }, 'cluster');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toBe(
      'error: expected a Redis Cluster, got the address of one server (use --cluster or --cluster_addrs)\n',
    );
  });
});
