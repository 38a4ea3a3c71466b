import { parseAddress } from '../runtime/address.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { ClusterNode, RedisReply } from './router.ts';
import { SLOT_COUNT } from './slots.ts';

/** A master and those who follow it. */
export interface Shard {
  readonly master: ClusterNode;
  readonly replicas: readonly ClusterNode[];
}

/** Who owns which slot, as one node of the cluster saw it at one time. */
export class SlotTable {
  /** In the order in which CLUSTER SLOTS first names them. */
  readonly shards: readonly Shard[];
  readonly #bySlot: readonly (Shard | undefined)[];

  constructor(shards: readonly Shard[], bySlot: readonly (Shard | undefined)[]) {
    this.shards = shards;
    this.#bySlot = bySlot;
  }

  shardOf(slot: number): Shard | undefined {
    return this.#bySlot[slot];
  }

  /** The same table with other shards. */
  map(change: (shard: Shard) => Shard): SlotTable {
    const changed = new Map(this.shards.map((shard) => [shard, change(shard)]));
    return new SlotTable(
      [...changed.values()],
      this.#bySlot.map((shard) => shard && changed.get(shard)),
    );
  }

  /** Any node, master or replica, with this address. */
  nodeAt(addr: string): ClusterNode | undefined {
    for (const { master, replicas } of this.shards) {
      const found = [master, ...replicas].find((node) => node.addr === addr);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/**
 * Reads the reply to CLUSTER SLOTS of the node at `asked`, whose host stands in for one that is not announced.
 * @throws ASYNQ_REDIS_COMMAND it is something else
 */
export function parseClusterSlots(reply: RedisReply, asked: string): SlotTable {
  const shards = new Map<string, Shard>();
  const bySlot = Array.from<Shard | undefined>({ length: SLOT_COUNT });
  for (const range of list(reply)) {
    const [from, to, ...nodes] = list(range);
    const [master, ...replicas] = nodes.map((node) => parseNode(node, asked));
    if (typeof from !== 'number' || typeof to !== 'number' || master === undefined) throw unreadable(reply);
    const shard = shards.get(master.id) ?? { master, replicas };
    shards.set(master.id, shard);
    bySlot.fill(shard, from, to + 1);
  }
  return new SlotTable([...shards.values()], bySlot);
}

function parseNode(reply: RedisReply, asked: string): ClusterNode {
  const [host, port, id] = list(reply);
  if (typeof port !== 'number' || !Buffer.isBuffer(id)) throw unreadable(reply);
  const announced = Buffer.isBuffer(host) ? host.toString() : '';
  const isKnown = announced !== '' && announced !== '?';
  return { id: id.toString(), addr: `${isKnown ? announced : parseAddress(asked).host}:${port}` };
}

function list(reply: RedisReply | undefined): RedisReply[] {
  if (!Array.isArray(reply)) throw unreadable(reply);
  return reply;
}

function unreadable(reply: RedisReply | undefined): AsynqError {
  return new AsynqError(
    'ASYNQ_REDIS_COMMAND',
    `expected ranges of slots from CLUSTER SLOTS, got ${JSON.stringify(reply)}`,
  );
}
