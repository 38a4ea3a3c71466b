/**
 * A task as it lies in the `msg` field of its hash (asynq `base.TaskMessage`, field names as there).
 * Times are Unix seconds and spans are seconds; 0 stands for none.
 */
export interface TaskMessage {
  type: string;
  payload: Uint8Array;
  headers: Readonly<Record<string, string>>;
  id: string;
  queue: string;
  /** Most retries. */
  retry: number;
  retried: number;
  errorMsg: string;
  timeout: number;
  deadline: number;
  uniqueKey: string;
  lastFailedAt: number;
  retention: number;
  completedAt: number;
  groupKey: string;
}
