import { until } from '../support/until.ts';
import { isHealthy, parseClusterNodes } from './cluster-nodes.ts';
import type { RedisServer } from './redis-server.ts';

const SLOTS = 16_384;
const DEADLINE_MS = 30_000;

/**
 * Makes a cluster of fresh nodes: slots to the first `masters`, the others replicate them in turn.
 *
 * Does what `redis-cli --cluster create` does, without its waits of a second: every pair is introduced, so nothing
 * depends on rounds of gossip. What remains is Redis's own two seconds before a new master takes writes.
 */
export async function formCluster(nodes: readonly RedisServer[], masters: number): Promise<void> {
  const ids = await Promise.all(nodes.map(async (node) => String(await node.call('CLUSTER', 'MYID'))));
  await Promise.all(
    nodes.map(async (node, index) => {
      // Different epochs from the start: equal ones would have to be fought out.
      await node.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      if (index >= masters) return;
      const from = Math.floor((index * SLOTS) / masters);
      const to = Math.floor(((index + 1) * SLOTS) / masters) - 1;
      await node.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    }),
  );
  await introduceAll(nodes);
  await Promise.all(
    nodes
      .slice(masters)
      .map((replica, index) => replica.call('CLUSTER', 'REPLICATE', ids[index % masters] ?? '')),
  );
}

async function introduceAll(nodes: readonly RedisServer[]): Promise<void> {
  await Promise.all(
    nodes.map(async (node, index) => {
      for (const other of nodes.slice(index + 1)) {
        await node.call('CLUSTER', 'MEET', other.host, other.port, await busPortOf(other));
      }
    }),
  );
  const knowsAll = async (node: RedisServer) => {
    const lines = parseClusterNodes(String(await node.call('CLUSTER', 'NODES')));
    return lines.length === nodes.length && lines.every((line) => isHealthy(line) && line.connected);
  };
  await until(async () => (await Promise.all(nodes.map(knowsAll))).every(Boolean), {
    timeout: DEADLINE_MS,
    what: 'all nodes to know each other',
  });
}

async function busPortOf(node: RedisServer): Promise<number> {
  const [, port] = (await node.call('CONFIG', 'GET', 'cluster-port')) as [string, string];
  return Number(port);
}
