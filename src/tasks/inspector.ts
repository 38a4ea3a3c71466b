import { randomUUID } from 'node:crypto';
import { BulkMoves, type BulkOptions } from '../broker/bulk-moves.ts';
import { QueueInspection } from '../broker/queue-inspection.ts';
import { listQueues } from '../broker/queue-list.ts';
import { pauseQueue, unpauseQueue } from '../broker/queue-pause.ts';
import { QueueRemoval } from '../broker/queue-removal.ts';
import { SchedulerEntries } from '../broker/scheduler-entries.ts';
import { ServerList } from '../broker/server-list.ts';
import { TaskChanges } from '../broker/task-changes.ts';
import { TaskInspection } from '../broker/task-inspection.ts';
import type { TaskPlace } from '../broker/task-place.ts';
import { shareOrOpen } from '../redis/open.ts';
import type { RedisConnOpt } from '../redis/options.ts';
import type { ClusterNode, KeyLocation, RedisRouter } from '../redis/router.ts';
import { checkText } from '../runtime/check-text.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { stderrLogger } from '../runtime/stderr-logger.ts';
import { CANCEL_CHANNEL, QueueKeys } from '../wire/keys.ts';
import { type PageOptions, pageRange } from './inspector-options.ts';
import { Payload, type PayloadInput } from './payload.ts';
import { type DailyStats, dailyStats, type GroupInfo, type QueueInfo, queueInfo } from './queue-info.ts';
import { type SchedulerEnqueueEvent, type SchedulerEntry, schedulerEntry } from './scheduler-info.ts';
import { type ServerInfo, serverInfo } from './server-info.ts';
import { type TaskInfo, taskInfo } from './task-info.ts';

export interface InspectorParts {
  /** @default the system's */
  readonly clock?: Clock;
  /** @default warnings and errors on stderr, as text; `silentLogger` turns it off */
  readonly log?: Logger;
}

/**
 * Looks into queues, and moves and deletes what is in them: Go's `Inspector`, method for method, each under the name that
 * it has there. Go's options of lists are `PageOptions`; `Page` and `PageSize` are their fields.
 *
 *     await using inspector = new Inspector({ addrs: ['127.0.0.1:7000'] });
 *     for (const task of await inspector.listArchivedTasks('emails')) await inspector.runTask('emails', task.id);
 *
 * What concerns one task is one script in its slot. What concerns all tasks of a state comes in batches, so that it never
 * holds up Redis, is not one instant, and resolves with the number of tasks that it moved; see `BulkOptions`. A message
 * that does not decode is shown with type `asynq:unreadable`, its bytes as payload and the reason as error.
 *
 * Every method throws ASYNQ_REDIS_*, ASYNQ_CLOSED once it is closed, and for what its arguments name:
 * ASYNQ_QUEUE_NAME_INVALID, ASYNQ_QUEUE_NOT_FOUND (unlisted and empty), ASYNQ_TASK_NOT_FOUND, ASYNQ_OPTION_INVALID.
 */
export class Inspector implements AsyncDisposable {
  readonly #router: RedisRouter;
  readonly #clock: Clock;
  /** The connection is of our own making, and ends with us. */
  readonly #isOwner: boolean;
  readonly #queues: QueueInspection;
  readonly #tasks: TaskInspection;
  readonly #changes: TaskChanges;
  readonly #bulk: BulkMoves;
  readonly #removal: QueueRemoval;
  readonly #servers: ServerList;
  readonly #schedulers: SchedulerEntries;

  /** `redis`: where Redis is, or a connection that others use too and that `close` leaves open. */
  constructor(
    redis: RedisConnOpt | RedisRouter,
    { clock = systemClock, log = stderrLogger('warn') }: InspectorParts = {},
  ) {
    const { router, isOwner } = shareOrOpen(redis, { clock, log });
    this.#isOwner = isOwner;
    const parts = { router, clock, log };
    this.#router = router;
    this.#clock = clock;
    this.#queues = new QueueInspection(parts);
    this.#tasks = new TaskInspection(parts);
    this.#changes = new TaskChanges(parts);
    this.#bulk = new BulkMoves(parts);
    this.#removal = new QueueRemoval({ ...parts, newId: randomUUID });
    this.#servers = new ServerList(parts);
    this.#schedulers = new SchedulerEntries(parts);
  }

  /** The names of all queues, sorted. */
  queues(): Promise<string[]> {
    return listQueues(this.#router);
  }

  async getQueueInfo(queue: string): Promise<QueueInfo> {
    return queueInfo(queue, await this.#queues.look(queue));
  }

  /** What was processed on each of the last `days` days (UTC), the newest first; counters live for 90. */
  async history(queue: string, days: number): Promise<DailyStats[]> {
    return (await this.#queues.history(queue, days)).map((day) => dailyStats(queue, day));
  }

  /** The groups of a queue, sorted by name; none for a queue that is not there. */
  groups(queue: string): Promise<GroupInfo[]> {
    return this.#queues.groupSizes(queue);
  }

  /** @throws ASYNQ_MESSAGE_UNREADABLE: its hash names no state of asynq */
  async getTaskInfo(queue: string, id: string): Promise<TaskInfo> {
    const { message, ...circumstances } = await this.#tasks.find(queue, id);
    return taskInfo(message, circumstances);
  }

  /** The next to run first. */
  listPendingTasks(queue: string, page?: PageOptions): Promise<TaskInfo[]> {
    return this.#list(queue, { state: 'pending' }, page);
  }

  /** Those without a lease that stands are `isOrphaned`. */
  listActiveTasks(queue: string, page?: PageOptions): Promise<TaskInfo[]> {
    return this.#list(queue, { state: 'active' }, page);
  }

  /** The next due first. */
  listScheduledTasks(queue: string, page?: PageOptions): Promise<TaskInfo[]> {
    return this.#list(queue, { state: 'scheduled' }, page);
  }

  /** The next due first. */
  listRetryTasks(queue: string, page?: PageOptions): Promise<TaskInfo[]> {
    return this.#list(queue, { state: 'retry' }, page);
  }

  /** The longest archived first. */
  listArchivedTasks(queue: string, page?: PageOptions): Promise<TaskInfo[]> {
    return this.#list(queue, { state: 'archived' }, page);
  }

  /** The next to expire first. */
  listCompletedTasks(queue: string, page?: PageOptions): Promise<TaskInfo[]> {
    return this.#list(queue, { state: 'completed' }, page);
  }

  /** The longest in the group first. */
  listAggregatingTasks(queue: string, group: string, page?: PageOptions): Promise<TaskInfo[]> {
    return this.#list(queue, { state: 'aggregating', group }, page);
  }

  /** With its lock. @throws ASYNQ_TASK_STATE: it is active */
  deleteTask(queue: string, id: string): Promise<void> {
    return this.#changes.move('delete', queue, id);
  }

  /** Makes it pending, behind all others; a grouped one leaves its group. @throws ASYNQ_TASK_STATE: it is active or pending */
  runTask(queue: string, id: string): Promise<void> {
    return this.#changes.move('run', queue, id);
  }

  /** Its lock stays till its end. @throws ASYNQ_TASK_STATE: it is active or archived */
  archiveTask(queue: string, id: string): Promise<void> {
    return this.#changes.move('archive', queue, id);
  }

  /**
   * Gives a scheduled task another payload, made as that of a `Task`. Its lock stays that of the payload it came with.
   *
   * @throws ASYNQ_PAYLOAD_NOT_JSON, ASYNQ_TASK_STATE: it is not scheduled, ASYNQ_MESSAGE_UNREADABLE
   */
  async updateTaskPayload(queue: string, id: string, payload: PayloadInput): Promise<void> {
    await this.#changes.updatePayload(queue, id, Payload.of(payload).bytes);
  }

  /** With their locks, as all deletions. */
  deleteAllPendingTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return this.#bulk.move('delete', queue, { state: 'pending' }, bulk);
  }

  deleteAllScheduledTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return this.#bulk.move('delete', queue, { state: 'scheduled' }, bulk);
  }

  deleteAllRetryTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return this.#bulk.move('delete', queue, { state: 'retry' }, bulk);
  }

  deleteAllArchivedTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return this.#bulk.move('delete', queue, { state: 'archived' }, bulk);
  }

  deleteAllCompletedTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return this.#bulk.move('delete', queue, { state: 'completed' }, bulk);
  }

  deleteAllAggregatingTasks(queue: string, group: string, bulk?: BulkOptions): Promise<number> {
    return this.#bulk.move('delete', queue, { state: 'aggregating', group }, bulk);
  }

  /** Makes them pending, the next due first. */
  runAllScheduledTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return this.#bulk.move('run', queue, { state: 'scheduled' }, bulk);
  }

  runAllRetryTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return this.#bulk.move('run', queue, { state: 'retry' }, bulk);
  }

  runAllArchivedTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return this.#bulk.move('run', queue, { state: 'archived' }, bulk);
  }

  runAllAggregatingTasks(queue: string, group: string, bulk?: BulkOptions): Promise<number> {
    return this.#bulk.move('run', queue, { state: 'aggregating', group }, bulk);
  }

  /** The archive keeps its 9,999 newest tasks and deletes the others, as Go's does. */
  archiveAllPendingTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return this.#bulk.move('archive', queue, { state: 'pending' }, bulk);
  }

  archiveAllScheduledTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return this.#bulk.move('archive', queue, { state: 'scheduled' }, bulk);
  }

  archiveAllRetryTasks(queue: string, bulk?: BulkOptions): Promise<number> {
    return this.#bulk.move('archive', queue, { state: 'retry' }, bulk);
  }

  archiveAllAggregatingTasks(queue: string, group: string, bulk?: BulkOptions): Promise<number> {
    return this.#bulk.move('archive', queue, { state: 'aggregating', group }, bulk);
  }

  /**
   * Removes a queue and all that bears its name, its counters too; with `force` also its tasks, unless some are active.
   *
   * @throws ASYNQ_QUEUE_NOT_EMPTY, ASYNQ_QUEUE_STATE: it has active tasks
   */
  deleteQueue(queue: string, options?: { readonly force?: boolean }): Promise<void> {
    return this.#removal.remove(queue, options?.force === true);
  }

  /** Lets nothing more be taken from it; it need not be there yet. @throws ASYNQ_QUEUE_STATE: it is paused already */
  pauseQueue(queue: string): Promise<void> {
    return pauseQueue(this.#router, queue, this.#clock.now());
  }

  /** @throws ASYNQ_QUEUE_STATE: it is not paused */
  unpauseQueue(queue: string): Promise<void> {
    return unpauseQueue(this.#router, queue);
  }

  /** Asks whoever works on the task to cancel it; resolves when that is said, whether anyone heard it or not. */
  async cancelProcessing(id: string): Promise<void> {
    checkText('task id', id);
    await this.#router.publish(CANCEL_CHANNEL, id);
  }

  /** The servers that run, with what they work on; sorted by host and process id. */
  async servers(): Promise<ServerInfo[]> {
    return (await this.#servers.all()).map(serverInfo);
  }

  /** The key slot of all keys of a queue. */
  async clusterKeySlot(queue: string): Promise<number> {
    return (await this.#locate(queue)).slot;
  }

  /** The nodes that hold a queue, its master first; on a standalone server that one. */
  async clusterNodes(queue: string): Promise<ClusterNode[]> {
    const { master, replicas } = await this.#locate(queue);
    return [master, ...replicas];
  }

  /** What running schedulers enqueue. */
  async schedulerEntries(): Promise<SchedulerEntry[]> {
    return (await this.#schedulers.list()).map(schedulerEntry);
  }

  /** What was enqueued for an entry, the newest first; at most 1,000 are kept. */
  async listSchedulerEnqueueEvents(entryId: string, page?: PageOptions): Promise<SchedulerEnqueueEvent[]> {
    checkText('entry id', entryId);
    const { skip, count } = pageRange(page);
    if (count === 0) return [];
    const events = await this.#schedulers.events(entryId, { pageSize: count, page: skip / count + 1 });
    return events.map(({ taskId, enqueuedAt }) => ({ taskId, enqueuedAt: new Date(enqueuedAt) }));
  }

  /** Closes its connection, unless it is shared. */
  async close(): Promise<void> {
    if (this.#isOwner) await this.#router.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #list(queue: string, place: TaskPlace, page: PageOptions | undefined): Promise<TaskInfo[]> {
    const found = await this.#tasks.page(queue, place, pageRange(page));
    return found.map(({ message, ...circumstances }) => taskInfo(message, circumstances));
  }

  async #locate(queue: string): Promise<KeyLocation> {
    return this.#router.locate(QueueKeys.of(queue).pending);
  }
}
