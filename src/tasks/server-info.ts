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
