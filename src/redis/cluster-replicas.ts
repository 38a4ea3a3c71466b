import { parseAddress } from '../runtime/address.ts';
import type { ClusterNode } from './router.ts';
import type { SlotTable } from './slot-table.ts';

/** Flags of CLUSTER NODES under which a node serves nobody. */
const AWAY = ['fail', 'handshake', 'noaddr'];

/**
 * Replicas by the id of their master, as CLUSTER NODES of the node at `asked` has them. CLUSTER SLOTS leaves out those
 * whose replication offset is not known yet: in a young cluster, all but its own.
 */
export function parseReplicas(text: string, asked: string): ReadonlyMap<string, readonly ClusterNode[]> {
  const replicas = new Map<string, ClusterNode[]>();
  for (const line of text.split('\n')) {
    const [id = '', address = '', flags = '', masterId = '-'] = line.split(' ');
    if (masterId === '-' || AWAY.some((flag) => flags.split(',').includes(flag))) continue;
    const addr = address.replace(/@.*/, '');
    const node = { id, addr: addr.startsWith(':') ? `${parseAddress(asked).host}${addr}` : addr };
    replicas.set(masterId, [...(replicas.get(masterId) ?? []), node]);
  }
  return replicas;
}

/** The table with the replicas that it lacks; where both name a node, the table's address stands. */
export function withReplicas(
  table: SlotTable,
  replicasOf: ReadonlyMap<string, readonly ClusterNode[]>,
): SlotTable {
  return table.map(({ master, replicas }) => {
    const named = new Set(replicas.map(({ id }) => id));
    const unnamed = (replicasOf.get(master.id) ?? []).filter(({ id }) => !named.has(id));
    return { master, replicas: [...replicas, ...unnamed].toSorted((a, b) => (a.addr < b.addr ? -1 : 1)) };
  });
}
