import type { QueueInfo } from '../tasks/queue-info.ts';
import type { Bold, Findings } from './output.ts';
import { errorRate, STATES } from './queue-figures.ts';
import type { Stats } from './stats-read.ts';
import { displayWidth, renderRows, renderTable, visible } from './table.ts';
import { dayText } from './time-text.ts';

/** Go rules the columns of one table alike, at least this wide. */
const NARROWEST_RULE = 9;

/** What `asynq stats` prints; `asGo`: the JSON of Go's CLI. */
export function statsFindings(stats: Stats, { asGo }: { readonly asGo: boolean }): Findings {
  const { aggregate, queues, redis, failures } = stats;
  if (asGo) {
    const data = goStats(stats);
    return { data, text: () => `${JSON.stringify(data)}\n`, failures };
  }
  return { data: { aggregate, queues, redis }, text: (bold) => statsText(stats, bold), failures };
}

function statsText({ aggregate, queues, redis, isCluster }: Stats, bold: Bold): string {
  const { processed, failed, timestamp } = aggregate;
  const titles = queues.map(({ queue, paused }) => visible(queue) + (paused ? ' (paused)' : ''));
  return [
    `${bold('Task Count by State')}\n`,
    evenlyRuled(
      STATES,
      STATES.map((state) => aggregate[state]),
      NARROWEST_RULE,
    ),
    `\n${bold('Task Count by Queue')}\n`,
    evenlyRuled(
      titles,
      queues.map(({ size }) => size),
      Math.max(0, ...titles.map(displayWidth)),
    ),
    `\n${bold(`Daily Stats ${dayText(timestamp)} UTC`)}\n`,
    renderTable(
      ['processed', 'failed', 'error rate'],
      [[String(processed), String(failed), errorRate(processed, failed)]],
    ),
    `\n${bold(isCluster ? 'Redis Cluster Info' : 'Redis Info')}\n`,
    isCluster ? clusterTable(redis) : serverTable(redis),
    '\n',
  ].join('');
}

function evenlyRuled(headers: readonly string[], counts: readonly number[], width: number): string {
  return renderRows([headers, headers.map(() => '-'.repeat(width)), counts.map(String)]);
}

function serverTable(info: Stats['redis']): string {
  return renderTable(
    ['version', 'uptime', 'connections', 'memory usage', 'peak memory usage'],
    [
      [
        info['redis_version'] ?? '',
        `${info['uptime_in_days'] ?? ''} days`,
        info['connected_clients'] ?? '',
        `${info['used_memory_human'] ?? ''}B`,
        `${info['used_memory_peak_human'] ?? ''}B`,
      ],
    ],
  );
}

function clusterTable(info: Stats['redis']): string {
  const { cluster_state = '', cluster_known_nodes = '', cluster_size = '' } = info;
  return renderTable(
    ['State', 'Known Nodes', 'Cluster Size'],
    [[cluster_state.toUpperCase(), cluster_known_nodes, cluster_size]],
  );
}

/** The same for programs that were written for Go's CLI: names, units (nanoseconds) and null as there. */
function goStats({ aggregate, queues, redis }: Stats): object {
  return { aggregate, queues: queues.length === 0 ? null : queues.map(goQueue), redis };
}

function goQueue(info: QueueInfo): object {
  return {
    Queue: info.queue,
    MemoryUsage: info.memoryUsageBytes ?? 0,
    Paused: info.paused,
    Size: info.size,
    Groups: info.groups,
    Pending: info.pending,
    Active: info.active,
    Scheduled: info.scheduled,
    Retry: info.retry,
    Archived: info.archived,
    Completed: info.completed,
    Aggregating: info.aggregating,
    Processed: info.processed,
    Failed: info.failed,
    ProcessedTotal: info.processedTotal,
    FailedTotal: info.failedTotal,
    Latency: Math.round((info.latencySeconds ?? 0) * 1e9),
    Timestamp: info.timestamp,
  };
}
