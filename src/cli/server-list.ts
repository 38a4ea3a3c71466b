import type { Clock } from '../runtime/clock.ts';
import type { Inspector } from '../tasks/inspector.ts';
import type { ServerInfo, WorkerInfo } from '../tasks/server-info.ts';
import { bytesData } from './bytes-text.ts';
import type { Findings } from './output.ts';
import { renderTable } from './table.ts';
import { agoText } from './time-text.ts';

/** Running servers, in the order of host and process. */
export async function listServers(inspector: Inspector, clock: Clock): Promise<Findings> {
  const servers = await inspector.servers();
  return {
    data: servers.map((server) => ({ ...server, activeWorkers: server.activeWorkers.map(workerData) })),
    text: () => (servers.length === 0 ? 'No running servers\n' : serverTable(servers, clock.now())),
  };
}

function workerData(worker: WorkerInfo): object {
  const { text, base64 } = bytesData(worker.taskPayload);
  return { ...worker, taskPayload: text, taskPayloadBase64: base64 };
}

function serverTable(servers: readonly ServerInfo[], nowMs: number): string {
  return renderTable(
    ['Host', 'PID', 'State', 'Active Workers', 'Queues', 'Started'],
    servers.map(({ host, pid, status, activeWorkers, concurrency, queues, started }) => [
      host,
      String(pid),
      status,
      `${activeWorkers.length}/${concurrency}`,
      queuesText(queues),
      started === undefined ? '' : agoText(started, nowMs),
    ]),
  );
}

/** `critical:6 default:3`: the most urgent first. */
function queuesText(queues: Readonly<Record<string, number>>): string {
  return Object.entries(queues)
    .toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([queue, priority]) => `${queue}:${priority}`)
    .join(' ');
}
