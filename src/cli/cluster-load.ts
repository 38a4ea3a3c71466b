import type { QueueReading } from '../broker/queue-reader.ts';
import { RedisQueueReader } from '../broker/redis-queue-reader.ts';
import { parseReplicas, withReplicas } from '../redis/cluster-replicas.ts';
import type { ClusterNode } from '../redis/router.ts';
import { parseClusterSlots, type SlotTable } from '../redis/slot-table.ts';
import { keySlot, SLOT_COUNT } from '../redis/slots.ts';
import { AsynqError } from '../runtime/errors.ts';
import { QUEUES_KEY, QueueKeys } from '../wire/keys.ts';
import type { Session } from './context.ts';

/** A queue is hot that has this part, or more, of all pending and active tasks. */
const HOT = 0.1;

/** A master, and what it carries. */
export interface MasterLoad extends ClusterNode {
  readonly slots: number;
  /** First and last slot of each range, both of them the master's. */
  readonly slotRanges: readonly (readonly [number, number])[];
  readonly replicas: readonly ClusterNode[];
  readonly queues: readonly QueueLoad[];
  /** Names of the hot queues that it has, if there are two or more. */
  readonly sharedByHotQueues: readonly string[];
}

/** A queue on its master; what could not be read is undefined. */
export interface QueueLoad {
  readonly queue: string;
  readonly keySlot: number;
  readonly size: number | undefined;
  readonly pending: number | undefined;
  readonly active: number | undefined;
  readonly latencySeconds: number | undefined;
  readonly isHot: boolean;
}

export interface ClusterLoad {
  readonly masters: readonly MasterLoad[];
  /** Why queues are not among them, or without figures. */
  readonly failures: readonly string[];
}

/** @throws ASYNQ_REDIS_NOT_A_CLUSTER */
export async function readClusterLoad({ inspector, redis, isCluster }: Session): Promise<ClusterLoad> {
  if (!isCluster) {
    throw new AsynqError(
      'ASYNQ_REDIS_NOT_A_CLUSTER',
      'expected a Redis Cluster, got the address of one server (use --cluster or --cluster_addrs)',
    );
  }
  const queues = await inspector.queues();
  const readings = await new RedisQueueReader(redis).read(queues.map((queue) => ({ queue, soonSeconds: 0 })));
  const { master } = await redis.locate(QUEUES_KEY);
  const [slots, nodes] = await Promise.all([
    redis.command(QUEUES_KEY, 'CLUSTER', ['SLOTS']),
    redis.command(QUEUES_KEY, 'CLUSTER', ['NODES']),
  ]);
  const table = withReplicas(
    parseClusterSlots(slots, master.addr),
    parseReplicas(String(nodes), master.addr),
  );
  return clusterLoad(table, readings);
}

/** Puts the queues on the masters that own their slots. Pure. */
export function clusterLoad(table: SlotTable, readings: ReadonlyMap<string, QueueReading>): ClusterLoad {
  const queues = queueLoads(readings);
  const masters = table.shards.map((shard) => {
    const slotRanges = rangesOf(table, shard.master.id);
    const own = queues.filter((queue) => table.shardOf(queue.keySlot) === shard);
    const hot = own.filter(({ isHot }) => isHot).map(({ queue }) => queue);
    return {
      ...shard.master,
      slots: slotRanges.reduce((sum, [from, to]) => sum + to - from + 1, 0),
      slotRanges,
      replicas: shard.replicas,
      queues: own,
      sharedByHotQueues: hot.length > 1 ? hot : [],
    };
  });
  const failures = [...readings].flatMap(([queue, reading]) =>
    reading.kind === 'unknown' ? [`could not read "${queue}": ${reading.error.message}`] : [],
  );
  return { masters: masters.toSorted((a, b) => firstSlot(a) - firstSlot(b)), failures };
}

/** The busiest first. */
function queueLoads(readings: ReadonlyMap<string, QueueReading>): QueueLoad[] {
  const works = [...readings.values()].map(workOf);
  const all = works.reduce((sum, work) => sum + work, 0);
  return [...readings]
    .toSorted(([a, x], [b, y]) => workOf(y) - workOf(x) || (a < b ? -1 : 1))
    .map(([queue, reading]) => {
      const snapshot = reading.kind === 'known' ? reading.snapshot : undefined;
      const work = workOf(reading);
      return {
        queue,
        keySlot: keySlot(new QueueKeys(queue).pending),
        size: snapshot && Object.values(snapshot.size).reduce((sum, count) => sum + count, 0),
        pending: snapshot?.size.pending,
        active: snapshot?.size.active,
        latencySeconds: snapshot?.latencySeconds,
        isHot: work > 0 && work >= HOT * all,
      };
    });
}

function workOf(reading: QueueReading): number {
  return reading.kind === 'known' ? reading.snapshot.size.pending + reading.snapshot.size.active : 0;
}

function rangesOf(table: SlotTable, id: string): (readonly [number, number])[] {
  const ranges: [number, number][] = [];
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    if (table.shardOf(slot)?.master.id !== id) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === slot - 1) last[1] = slot;
    else ranges.push([slot, slot]);
  }
  return ranges;
}

function firstSlot({ slotRanges }: MasterLoad): number {
  return slotRanges[0]?.[0] ?? SLOT_COUNT;
}
