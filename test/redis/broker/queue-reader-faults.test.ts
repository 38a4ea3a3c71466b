import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { QueueReading } from '../../../src/broker/queue-reader.ts';
import { RedisQueueReader } from '../../../src/broker/redis-queue-reader.ts';
import { openRedis } from '../../../src/redis/open.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import type { RedisServer } from '../../lab/redis-server.ts';
import { beginSlotMove } from '../../lab/slot-move.ts';
import { EMPTY_QUEUE, writeQueueState } from '../../support/queue-state.ts';

const TIMEOUT = 1_000;
const queues = Array.from({ length: 30 }, (_, n) => `faults-${n}`);

let cluster: RedisCluster;
let redis: RedisRouter;

beforeAll(async () => {
  // No heirs, so that what is down stays down; the others stay up, and see nothing amiss.
  cluster = await startRedisCluster({
    replicas: 0,
    nodeTimeout: 30_000,
    config: { 'cluster-require-full-coverage': 'no', appendonly: 'yes' },
  });
  redis = openRedis({ addrs: cluster.addrs }, { clock: systemClock, log: silentLogger });
  for (const queue of queues) await writeQueueState(redis, queue, { ...EMPTY_QUEUE, pending: [-20, -30] });
});
afterEach(async () => {
  for (const node of cluster.nodes) {
    node.resume();
    await node.start();
  }
  await cluster.whole();
});
afterAll(async () => {
  await redis?.close();
  await cluster?.stop();
});

async function readAll(from = redis): Promise<{ readings: ReadonlyMap<string, QueueReading>; ms: number }> {
  const started = performance.now();
  const reader = new RedisQueueReader(from, { timeout: TIMEOUT });
  const readings = await reader.read(queues.map((queue) => ({ queue, soonSeconds: 60 })));
  return { readings, ms: performance.now() - started };
}

async function queuesOf(master: RedisServer): Promise<string[]> {
  const owners = await Promise.all(queues.map((queue) => cluster.masterOfKey(`{${queue}}`)));
  return queues.filter((_, index) => owners[index] === master);
}

function unknownIn(readings: ReadonlyMap<string, QueueReading>): string[] {
  return queues.filter((queue) => readings.get(queue)?.kind === 'unknown');
}

function pendingIn(readings: ReadonlyMap<string, QueueReading>): number[] {
  return [...readings.values()].flatMap((reading) =>
    reading.kind === 'known' ? [reading.snapshot.size.pending] : [],
  );
}

test.each<[string, (master: RedisServer) => unknown]>([
  ['hangs', (master) => master.pause()],
  ['is killed', (master) => master.kill()],
])('a master that %s makes its own queues unknown, in time, and no others', async (_what, hurt) => {
  const [master] = await cluster.masters();
  if (master === undefined) throw new Error('a cluster without masters');
  const its = await queuesOf(master);
  expect(unknownIn((await readAll()).readings)).toEqual([]);

  await hurt(master);
  const { readings, ms } = await readAll();
  expect(unknownIn(readings)).toEqual(its);
  expect(its.length).toBeGreaterThan(0);
  expect(new Set(pendingIn(readings))).toEqual(new Set([2]));
  expect(ms).toBeLessThan(TIMEOUT + 1_000);
  expect(readings.get(its[0] ?? '')).toMatchObject({
    error: {
      code: expect.stringMatching(/_UNREACHABLE$|_SLOT_UNSERVED$/),
      message: expect.stringContaining(master.addr),
    },
  });

  master.resume();
  await master.start();
  await cluster.whole();
  expect(unknownIn((await readAll()).readings)).toEqual([]);
});

test('nobody there: all unknown, in time', async () => {
  const other = openRedis({ addrs: ['127.0.0.1:1'] }, { clock: systemClock, log: silentLogger });
  const { readings, ms } = await readAll(other);
  await other.close();
  expect(unknownIn(readings)).toEqual(queues);
  expect(ms).toBeLessThan(TIMEOUT + 1_000);
});

test('a queue whose slot is on the move is read right or not at all, never as empty', async () => {
  const [queue = ''] = queues;
  const slot = await cluster.keyslot(`{${queue}}`);
  const owner = await cluster.masterOfSlot(slot);
  const target = (await cluster.masters()).find((master) => master !== owner) ?? owner;
  const seen: (number | 'unknown')[] = [];
  const look = async () => {
    const reader = new RedisQueueReader(redis, { timeout: 150 });
    const reading = (await reader.read([{ queue, soonSeconds: 60 }])).get(queue);
    seen.push(reading?.kind === 'known' ? reading.snapshot.size.pending : 'unknown');
  };
  const move = await beginSlotMove(cluster, slot, target);
  do await look();
  while ((await move.moveKeys(1)) > 0);
  await look();
  await move.finish();
  await look();
  expect(new Set(seen)).toEqual(new Set(['unknown', 2]));
  expect(seen.at(-1)).toBe(2);
});
