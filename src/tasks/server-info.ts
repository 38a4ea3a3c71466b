import type { AnnouncedServer } from '../broker/server-list.ts';
import type { WorkerInfo as AnnouncedWorker } from '../wire/server-info.ts';

/** A running server (asynq `ServerInfo`). */
export interface ServerInfo {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly concurrency: number;
  /** Queue name -> priority. */
  readonly queues: Readonly<Record<string, number>>;
  readonly strictPriority: boolean;
  readonly started: Date | undefined;
  /** `new`, `active`, `stopped` or `closed`. */
  readonly status: string;
  /** Sorted by the time of their start. */
  readonly activeWorkers: readonly WorkerInfo[];
}

/** What one worker of a server is busy with (asynq `WorkerInfo`). */
export interface WorkerInfo {
  readonly taskId: string;
  readonly taskType: string;
  readonly taskPayload: Uint8Array;
  readonly queue: string;
  readonly started: Date | undefined;
  readonly deadline: Date | undefined;
}

export function serverInfo({ info, workers }: AnnouncedServer): ServerInfo {
  const { serverId, host, pid, concurrency, queues, strictPriority, startedAt, status } = info;
  const busy = workers.toSorted((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0));
  return {
    id: serverId,
    host,
    pid,
    concurrency,
    queues,
    strictPriority,
    started: dateOf(startedAt),
    status,
    activeWorkers: busy.map(workerInfo),
  };
}

function workerInfo({
  taskId,
  taskType,
  taskPayload,
  queue,
  startedAt,
  deadline,
}: AnnouncedWorker): WorkerInfo {
  return { taskId, taskType, taskPayload, queue, started: dateOf(startedAt), deadline: dateOf(deadline) };
}

function dateOf(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}
