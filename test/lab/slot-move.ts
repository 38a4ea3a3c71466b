import type { RedisCluster } from './redis-cluster.ts';
import type { RedisServer } from './redis-server.ts';

const MIGRATE_TIMEOUT_MS = 5_000;

/**
 * A slot on its way from its master to another, step by step, so that a test can act in between: from `beginSlotMove`
 * until `finish`, clients get ASK for keys that the source no longer has (and TRYAGAIN for commands over keys of which
 * it has some); from then on MOVED.
 */
export class SlotMove {
  readonly slot: number;
  readonly from: RedisServer;
  readonly to: RedisServer;
  readonly #cluster: RedisCluster;

  constructor(cluster: RedisCluster, slot: number, from: RedisServer, to: RedisServer) {
    this.#cluster = cluster;
    this.slot = slot;
    this.from = from;
    this.to = to;
  }

  /** Moves up to `limit` of the slot's keys; gives how many. */
  async moveKeys(limit = 1_000): Promise<number> {
    const keys = (await this.from.call('CLUSTER', 'GETKEYSINSLOT', this.slot, limit)) as string[];
    if (keys.length === 0) return 0;
    const { host, port, password } = this.to;
    const auth = password === undefined ? [] : ['AUTH', password];
    await this.from.call('MIGRATE', host, port, '', 0, MIGRATE_TIMEOUT_MS, ...auth, 'KEYS', ...keys);
    return keys.length;
  }

  /** Moves the rest and makes the target the owner, in the order that leaves no moment without one. */
  async finish(): Promise<void> {
    while ((await this.moveKeys()) > 0);
    const owner = await this.#cluster.idOf(this.to);
    const others = (await this.#cluster.masters()).filter((node) => node !== this.to && node !== this.from);
    for (const node of [this.to, this.from, ...others]) {
      await node.call('CLUSTER', 'SETSLOT', this.slot, 'NODE', owner);
    }
    await this.#cluster.agreed();
  }
}

/** Opens `slot` at both ends. */
export async function beginSlotMove(cluster: RedisCluster, slot: number, to: RedisServer): Promise<SlotMove> {
  const from = await cluster.masterOfSlot(slot);
  await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await cluster.idOf(from));
  await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await cluster.idOf(to));
  return new SlotMove(cluster, slot, from, to);
}
