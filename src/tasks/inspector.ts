import type { RedisConnOpt } from '../redis/options.ts';
import type { ClusterNode, RedisRouter } from '../redis/router.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { BulkOptions, PageOptions } from './inspector-options.ts';
import type { PayloadInput } from './payload.ts';
import type { DailyStats, GroupInfo, QueueInfo } from './queue-info.ts';
import type { SchedulerEnqueueEvent, SchedulerEntry } from './scheduler-info.ts';
import type { ServerInfo } from './server-info.ts';
import type { TaskInfo } from './task-info.ts';

export interface InspectorParts {
  /** @default the system's */
  readonly clock?: Clock;
  /** @default none: nothing is logged */
  readonly log?: Logger;
}

declare function unwritten(...args: unknown[]): Promise<never>;

/** Looks into queues, and moves and deletes what is in them. */
export class Inspector implements AsyncDisposable {
  constructor(redis: RedisConnOpt | RedisRouter, parts: InspectorParts = {}) {
    void unwritten(redis, parts);
  }

  queues(): Promise<string[]> {
    return unwritten();
  }

  getQueueInfo(queue: string): Promise<QueueInfo> {
    return unwritten(queue);
  }

  history(queue: string, days: number): Promise<DailyStats[]> {
    return unwritten(queue, days);
  }

  groups(queue: string): Promise<GroupInfo[]> {
    return unwritten(queue);
  }

  getTaskInfo(queue: string, id: string): Promise<TaskInfo> {
    return unwritten(queue, id);
  }

  listPendingTasks(queue: string, page?: PageOptions): Promise<TaskInfo[]> {
    return unwritten(queue, page);
  }

  listActiveTasks(queue: string, page?: PageOptions): Promise<TaskInfo[]> {
    return unwritten(queue, page);
  }

  listScheduledTasks(queue: string, page?: PageOptions): Promise<TaskInfo[]> {
    return unwritten(queue, page);
  }

  listRetryTasks(queue: string, page?: PageOptions): Promise<TaskInfo[]> {
    return unwritten(queue, page);
  }

  listArchivedTasks(queue: string, page?: PageOptions): Promise<TaskInfo[]> {
    return unwritten(queue, page);
  }

  listCompletedTasks(queue: string, page?: PageOptions): Promise<TaskInfo[]> {
    return unwritten(queue, page);
  }

  listAggregatingTasks(queue: string, group: string, page?: PageOptions): Promise<TaskInfo[]> {
    return unwritten(queue, group, page);
  }

  deleteTask(queue: string, id: string): Promise<void> {
    return unwritten(queue, id);
  }

  runTask(queue: string, id: string): Promise<void> {
    return unwritten(queue, id);
  }

  archiveTask(queue: string, id: string): Promise<void> {
    return unwritten(queue, id);
  }

  updateTaskPayload(queue: string, id: string, payload: PayloadInput): Promise<void> {
    return unwritten(queue, id, payload);
  }

  deleteAllPendingTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return unwritten(queue, bulk);
  }

  deleteAllScheduledTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return unwritten(queue, bulk);
  }

  deleteAllRetryTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return unwritten(queue, bulk);
  }

  deleteAllArchivedTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return unwritten(queue, bulk);
  }

  deleteAllCompletedTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return unwritten(queue, bulk);
  }

  runAllScheduledTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return unwritten(queue, bulk);
  }

  runAllRetryTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return unwritten(queue, bulk);
  }

  runAllArchivedTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return unwritten(queue, bulk);
  }

  archiveAllPendingTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return unwritten(queue, bulk);
  }

  archiveAllScheduledTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return unwritten(queue, bulk);
  }

  archiveAllRetryTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return unwritten(queue, bulk);
  }

  deleteAllAggregatingTasks(queue: string, group: string, bulk?: BulkOptions): Promise<number> {
    return unwritten(queue, group, bulk);
  }

  runAllAggregatingTasks(queue: string, group: string, bulk?: BulkOptions): Promise<number> {
    return unwritten(queue, group, bulk);
  }

  archiveAllAggregatingTasks(queue: string, group: string, bulk?: BulkOptions): Promise<number> {
    return unwritten(queue, group, bulk);
  }

  deleteQueue(queue: string, options?: { readonly force?: boolean }): Promise<void> {
    return unwritten(queue, options);
  }

  pauseQueue(queue: string): Promise<void> {
    return unwritten(queue);
  }

  unpauseQueue(queue: string): Promise<void> {
    return unwritten(queue);
  }

  cancelProcessing(id: string): Promise<void> {
    return unwritten(id);
  }

  servers(): Promise<ServerInfo[]> {
    return unwritten();
  }

  clusterKeySlot(queue: string): Promise<number> {
    return unwritten(queue);
  }

  clusterNodes(queue: string): Promise<ClusterNode[]> {
    return unwritten(queue);
  }

  schedulerEntries(): Promise<SchedulerEntry[]> {
    return unwritten();
  }

  listSchedulerEnqueueEvents(entryId: string, page?: PageOptions): Promise<SchedulerEnqueueEvent[]> {
    return unwritten(entryId, page);
  }

  close(): Promise<void> {
    return unwritten();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
