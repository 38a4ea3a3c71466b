import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isMaster, owns, parseClusterNodes } from '../../lab/cluster-nodes.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import { runBin } from '../../support/bin.ts';
import { rawCluster, testCluster, testRedis } from '../../support/redis.ts';

const QUEUES = ['images', 'webhooks', 'notifications', 'imágenes', 'a, b: {x}', '画像 🙂', 'default'];

/** What `queue ls --cluster` must print, from what redis-cli says. */
async function expectedTable(cluster: RedisCluster, queues: readonly string[]): Promise<string[][]> {
  const lines = await cluster.clusterNodes();
  return Promise.all(
    queues.toSorted().map(async (queue) => {
      const slot = Number(await cluster.cli(['cluster', 'keyslot', `asynq:{${queue}}:`]));
      const master = lines.find((line) => owns(line, slot));
      const replicas = lines.filter((line) => line.masterId === master?.id);
      const nodes = [master, ...replicas].map((node) => `{${node?.id} ${node?.addr}}`);
      return [queue, String(slot), `[${nodes.join(' ')}]`];
    }),
  );
}

function cells(table: string): string[][] {
  return table
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().split(/ {2,}/));
}

describe('asynq queue ls --cluster', () => {
  it('agrees with redis-cli before and after a failover', async () => {
    await using cluster = await startRedisCluster({ password: 'secret', nodeTimeout: 2_000 });
    await (await cluster.masterOfKey('asynq:queues')).call('SADD', 'asynq:queues', ...QUEUES);
    const list = () =>
      runBin('asynq', [
        'queue',
        'ls',
        '--cluster',
        '--cluster_addrs',
        cluster.addrs.join(','),
        '-p',
        'secret',
      ]);

    const before = await list();
    expect(before).toMatchObject({ code: 0, stderr: '' });
    const [header, rule, ...rows] = cells(before.stdout);
    expect(header).toEqual(['Queue', 'Cluster KeySlot', 'Cluster Nodes']);
    expect(rule).toEqual(['-----', '---------------', '-------------']);
    expect(rows).toEqual(await expectedTable(cluster, QUEUES));
    expect(rows).toContainEqual([
      'imágenes',
      '2788',
      expect.stringMatching(/^\[\{[0-9a-f]{40} 127\.0\.0\.1:\d+\} \{/),
    ]);
    expect(rows).toContainEqual(['images', '9450', expect.anything()]);

    const old = await cluster.masterOfSlot(2788);
    const heir = await cluster.failover(old);
    await cluster.whole();

    const after = await list();
    expect(after).toMatchObject({ code: 0, stderr: '' });
    expect(cells(after.stdout).slice(2)).toEqual(await expectedTable(cluster, QUEUES));
    expect(after.stdout).toContain(
      `{${await cluster.idOf(heir)} ${heir.addr}} {${await cluster.idOf(old)} ${old.addr}}]`,
    );
  });

  it('says which queues cannot be placed, and prints the others', async () => {
    await using cluster = await startRedisCluster({ replicas: 0, nodeTimeout: 1_000 });
    await (await cluster.masterOfKey('asynq:queues')).call('SADD', 'asynq:queues', ...QUEUES);
    // Slot 2788 is in the first third, that of asynq:queues is not.
    await (await cluster.masterOfSlot(2788)).call('CLUSTER', 'DELSLOTS', 2788);
    await (await cluster.masterOfKey('asynq:queues')).call(
      'CONFIG',
      'SET',
      'cluster-require-full-coverage',
      'no',
    );
    const addr = (await cluster.masterOfKey('asynq:queues')).addr;
    const { code, stdout, stderr } = await runBin('asynq', ['queue', 'ls', '--cluster_addrs', addr]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: could not get cluster nodes for "imágenes": .*2788/);
    expect(
      cells(stdout)
        .slice(2)
        .map(([queue]) => queue),
    ).toEqual(QUEUES.toSorted().filter((q) => q !== 'imágenes'));
  });
});

describe('asynq queue ls', () => {
  const { addrs, password } = testCluster();
  const redis = rawCluster();
  const env = { CLUSTER: 'true', CLUSTER_ADDRS: addrs.join(','), PASSWORD: password };

  it('gives JSON and YAML for programs', async () => {
    const queue = `imágenes-${process.pid}`;
    await redis.sadd('asynq:queues', queue);
    const json = JSON.parse((await runBin('asynq', ['queue', 'ls', '-o', 'json'], { env })).stdout) as {
      queue: string;
    }[];
    const yaml = parse((await runBin('asynq', ['queue', 'ls', '-o', 'yaml'], { env })).stdout);
    const row = json.find((one) => one.queue === queue);
    expect(row).toEqual({
      queue,
      keySlot: expect.any(Number),
      nodes: [
        { id: expect.stringMatching(/^[0-9a-f]{40}$/), addr: expect.any(String), role: 'master' },
        { id: expect.any(String), addr: expect.any(String), role: 'replica' },
      ],
    });
    expect(yaml).toContainEqual(row);
  });

  it.each([
    ['a wrong password', { PASSWORD: 'wrong' }, /^error: .*(WRONGPASS|password)/i],
    [
      'a wrong password and the user of the desktop',
      { PASSWORD: 'wrong', USERNAME: 'me' },
      /environment variable USERNAME/,
    ],
    ['an address where nothing is', { CLUSTER_ADDRS: '127.0.0.1:1' }, /^error: .*127\.0\.0\.1:1/],
    [
      'a standalone server for a cluster',
      { CLUSTER_ADDRS: testRedis().addr, PASSWORD: '' },
      /^error: .*cluster support disabled/,
    ],
  ])('says what is wrong with %s', async (_, wrong, message) => {
    const { code, stdout, stderr } = await runBin('asynq', ['queue', 'ls'], { env: { ...env, ...wrong } });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('points to --cluster when the server asked is one of a cluster', async () => {
    const lines = parseClusterNodes(String(await redis.call('CLUSTER', 'NODES')));
    const uri = lines.find((line) => !isMaster(line))?.addr ?? '';
    const { code, stderr } = await runBin('asynq', ['queue', 'ls', '-u', uri, '-p', password]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^error: .*use --cluster/) });
  });
});
