import type { QueueReader, QueueSnapshot } from '../broker/queue-reader.ts';
import type { ClusterNode, KeyLocation, RedisRouter } from '../redis/router.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorText } from '../runtime/errors.ts';
import { QUEUES_KEY, QueueKeys } from '../wire/keys.ts';
import type { Answer } from './output.ts';
import { renderTable, visible } from './table.ts';

/** What a command found, and what it could not find out: the rest is still worth printing. */
export interface Findings {
  readonly answer: Answer;
  readonly failures: readonly string[];
}

/** Names of all queues that were ever used, sorted: Redis has them in no order. */
export async function listQueues(redis: RedisRouter): Promise<Findings> {
  const queues = await queueNames(redis);
  return {
    answer: {
      data: queues.map((queue) => ({ queue })),
      text: () => queues.map((queue) => `${visible(queue)}\n`).join(''),
    },
    failures: [],
  };
}

/** Where each queue lives in the cluster: its key slot and the nodes that serve it, master first. */
export async function listQueuesWithNodes(redis: RedisRouter): Promise<Findings> {
  const queues = await queueNames(redis);
  const failures: string[] = [];
  const found = await Promise.all(
    queues.map(async (queue) => {
      try {
        return { queue, at: await redis.locate(new QueueKeys(queue).prefix) };
      } catch (error) {
        failures.push(`could not get cluster nodes for "${queue}": ${errorText(error)}`);
        return undefined;
      }
    }),
  );
  const rows = found.filter((row) => row !== undefined);
  return { answer: { data: rows.map(locationData), text: () => locationTable(rows) }, failures };
}

interface LocatedQueue {
  readonly queue: string;
  readonly at: KeyLocation;
}

function locationData({ queue, at }: LocatedQueue): object {
  const replicas = at.replicas.map((node) => withRole(node, 'replica'));
  return { queue, keySlot: at.slot, nodes: [withRole(at.master, 'master'), ...replicas] };
}

function withRole({ id, addr }: ClusterNode, role: 'master' | 'replica'): object {
  return { id, addr, role };
}

function locationTable(rows: readonly LocatedQueue[]): string {
  return renderTable(
    ['Queue', 'Cluster KeySlot', 'Cluster Nodes'],
    rows.map(({ queue, at }) => [queue, String(at.slot), nodesText(at)]),
  );
}

function nodesText({ master, replicas }: KeyLocation): string {
  return `[${[master, ...replicas].map(({ id, addr }) => `{${id} ${addr}}`).join(' ')}]`;
}

/** The figures of some queues, as `queue inspect` prints them; a queue that does not exist is a failure of its own. */
export async function inspectQueues(
  parts: { redis: RedisRouter; reader: QueueReader; clock: Clock },
  queues: readonly string[],
): Promise<Findings> {
  const { redis, reader, clock } = parts;
  const known = new Set(await queueNames(redis));
  const readings = await reader.read(
    queues.filter((queue) => known.has(queue)).map((queue) => ({ queue, soonSeconds: 0 })),
  );
  const failures: string[] = [];
  const reports: QueueReport[] = [];
  for (const queue of queues) {
    const reading = readings.get(queue);
    if (reading?.kind === 'known') {
      reports.push({ queue, snapshot: reading.snapshot, day: await dailyStats(redis, queue, clock.now()) });
    } else {
      failures.push(reading === undefined ? `queue "${queue}" does not exist` : errorText(reading.error));
    }
  }
  return {
    answer: {
      data: reports.map(reportData),
      text: () => reports.map(reportText).join(`\n${'='.repeat(49)}\n\n`),
    },
    failures,
  };
}

interface DailyStats {
  /** UTC. */
  readonly date: string;
  readonly processed: number;
  readonly failed: number;
}

interface QueueReport {
  readonly queue: string;
  readonly snapshot: QueueSnapshot;
  readonly day: DailyStats;
}

/** In the order of Go's table. */
const STATES = ['active', 'pending', 'aggregating', 'scheduled', 'retry', 'archived', 'completed'] as const;

function reportData({ queue, snapshot, day }: QueueReport): object {
  const { keySlot, node, paused, size, groups, latencySeconds = null } = snapshot;
  return { queue, keySlot, node, paused, size: total(size), groups, tasks: size, latencySeconds, day };
}

function reportText({ queue, snapshot, day }: QueueReport): string {
  const { paused, size, groups } = snapshot;
  const rate = day.processed === 0 ? 'N/A' : `${((100 * day.failed) / day.processed).toFixed(2)}%`;
  return [
    'Queue Info\n',
    `Name:   ${visible(queue)}\nSize:   ${total(size)}\nGroups: ${groups}\nPaused: ${paused}\n`,
    '\nTask Count by State\n',
    renderTable(STATES, [STATES.map((state) => String(size[state]))]),
    `\nDaily Stats ${day.date} UTC\n`,
    renderTable(['processed', 'failed', 'error rate'], [[String(day.processed), String(day.failed), rate]]),
  ].join('');
}

function total(size: QueueSnapshot['size']): number {
  return STATES.reduce((sum, state) => sum + size[state], 0);
}

async function dailyStats(redis: RedisRouter, queue: string, now: number): Promise<DailyStats> {
  const keys = new QueueKeys(queue);
  const count = async (key: string) => Number((await redis.command(key, 'GET', [key])) ?? 0);
  const [processed, failed] = await Promise.all([count(keys.processedOn(now)), count(keys.failedOn(now))]);
  return { date: new Date(now).toISOString().slice(0, 10), processed, failed };
}

async function queueNames(redis: RedisRouter): Promise<string[]> {
  const reply = await redis.command(QUEUES_KEY, 'SMEMBERS', [QUEUES_KEY]);
  return (Array.isArray(reply) ? reply : []).map(String).toSorted();
}
