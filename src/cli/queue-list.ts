import type { ClusterNode } from '../redis/router.ts';
import { errorText } from '../runtime/errors.ts';
import type { Inspector } from '../tasks/inspector.ts';
import { type Findings, forEachName } from './output.ts';
import { renderTable, visible } from './table.ts';

/** Names of all queues that were ever used, sorted: Redis has them in no order. */
export async function listQueues(inspector: Inspector): Promise<Findings> {
  const queues = await inspector.queues();
  return {
    data: queues.map((queue) => ({ queue })),
    text: () => queues.map((queue) => `${visible(queue)}\n`).join(''),
  };
}

/** Where each queue lives in the cluster: its key slot and the nodes that serve it, master first. */
export async function listQueuesWithNodes(inspector: Inspector): Promise<Findings> {
  const { done, failures } = await forEachName(
    await inspector.queues(),
    async (queue): Promise<LocatedQueue> => ({
      queue,
      keySlot: await inspector.clusterKeySlot(queue),
      nodes: await inspector.clusterNodes(queue),
    }),
    (error, queue) => `could not get cluster nodes for "${queue}": ${errorText(error)}`,
  );
  return { data: done.map(withRoles), text: () => locationTable(done), failures };
}

interface LocatedQueue {
  readonly queue: string;
  readonly keySlot: number;
  readonly nodes: readonly ClusterNode[];
}

function withRoles({ queue, keySlot, nodes }: LocatedQueue): object {
  const roles = nodes.map(({ id, addr }, i) => ({ id, addr, role: i === 0 ? 'master' : 'replica' }));
  return { queue, keySlot, nodes: roles };
}

/** Go's CLI prints the addresses of pointers where the nodes are here. */
function locationTable(rows: readonly LocatedQueue[]): string {
  return renderTable(
    ['Queue', 'Cluster KeySlot', 'Cluster Nodes'],
    rows.map(({ queue, keySlot, nodes }) => [queue, String(keySlot), nodesText(nodes)]),
  );
}

function nodesText(nodes: readonly ClusterNode[]): string {
  return `[${nodes.map(({ id, addr }) => `{${id} ${addr}}`).join(' ')}]`;
}
