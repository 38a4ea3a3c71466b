/** Which part of a list (asynq `PageSize`, `Page`). */
export interface PageOptions {
  /** Tasks on a page. @default 30 */
  readonly pageSize?: number;
  /** The first is 1. @default 1 */
  readonly page?: number;
}

/** How work on many tasks is followed, and ended before its time. */
export interface BulkOptions {
  /** Called after each batch; `total` is the number of tasks that there were at the start. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends it after the batch that is on its way: the call resolves with what was done until then. */
  readonly signal?: AbortSignal;
}
