import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { decoding, encoding } from './codec.ts';
import { ServerInfoSchema, WorkerInfoSchema } from './gen/asynq_pb.ts';
import { milliseconds, timestamp } from './timestamp.ts';

/** A server as it announces itself (asynq `base.ServerInfo`). Times are Unix milliseconds. */
export interface ServerInfo {
  readonly host: string;
  readonly pid: number;
  readonly serverId: string;
  readonly concurrency: number;
  /** Queue name -> priority, as it was configured. */
  readonly queues: Readonly<Record<string, number>>;
  readonly strictPriority: boolean;
  /** `new`, `active`, `stopped` or `closed`. */
  readonly status: string;
  readonly startedAt: number | undefined;
  readonly activeWorkerCount: number;
}

/** What one worker of a server is busy with (asynq `base.WorkerInfo`). Times are Unix milliseconds. */
export interface WorkerInfo {
  readonly host: string;
  readonly pid: number;
  readonly serverId: string;
  readonly taskId: string;
  readonly taskType: string;
  readonly taskPayload: Uint8Array;
  readonly queue: string;
  readonly startedAt: number | undefined;
  readonly deadline: number | undefined;
}

export function encodeServerInfo({ startedAt, ...info }: ServerInfo): Uint8Array {
  return encoding('a server info', () =>
    toBinary(ServerInfoSchema, create(ServerInfoSchema, { ...info, startTime: timestamp(startedAt) })),
  );
}

/** @throws ASYNQ_MESSAGE_UNREADABLE */
export function decodeServerInfo(bytes: Uint8Array): ServerInfo {
  const info = decoding('a server info', bytes, () => fromBinary(ServerInfoSchema, bytes));
  return {
    host: info.host,
    pid: info.pid,
    serverId: info.serverId,
    concurrency: info.concurrency,
    queues: info.queues,
    strictPriority: info.strictPriority,
    status: info.status,
    startedAt: milliseconds(info.startTime),
    activeWorkerCount: info.activeWorkerCount,
  };
}

export function encodeWorkerInfo({ startedAt, deadline, ...info }: WorkerInfo): Uint8Array {
  return encoding('a worker info', () => {
    const times = { startTime: timestamp(startedAt), deadline: timestamp(deadline) };
    return toBinary(WorkerInfoSchema, create(WorkerInfoSchema, { ...info, ...times }));
  });
}

/** @throws ASYNQ_MESSAGE_UNREADABLE */
export function decodeWorkerInfo(bytes: Uint8Array): WorkerInfo {
  const info = decoding('a worker info', bytes, () => fromBinary(WorkerInfoSchema, bytes));
  return {
    host: info.host,
    pid: info.pid,
    serverId: info.serverId,
    taskId: info.taskId,
    taskType: info.taskType,
    taskPayload: info.taskPayload,
    queue: info.queue,
    startedAt: milliseconds(info.startTime),
    deadline: milliseconds(info.deadline),
  };
}
