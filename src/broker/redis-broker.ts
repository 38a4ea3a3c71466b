import type { RedisRouter } from '../redis/router.ts';
import { type Clock, unixSeconds } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { CANCEL_CHANNEL, QueueKeys } from '../wire/keys.ts';
import type {
  AggregationSet,
  Broker,
  DequeueReply,
  Enqueueing,
  Forwarded,
  GroupPolicy,
  LeasedTask,
  ReadyGroups,
  ServerState,
  Settlement,
} from './broker.ts';
import type { ReplicaGoal } from './enqueue-calls.ts';
import { Enqueuer } from './enqueuer.ts';
import { Groups } from './groups.ts';
import { Leaser } from './leaser.ts';
import { PendingWatch } from './pending-watch.ts';
import { bytes, integer, list, texts } from './replies.ts';
import { loadScript } from './scripts.ts';
import { ServerAnnouncer } from './server-announcer.ts';
import { Settler } from './settler.ts';
import { taskNotFound } from './task-not-found.ts';
import { unixNanoseconds } from './unix-nanoseconds.ts';

const FORWARD = loadScript('forward');
const DELETE_EXPIRED_COMPLETED = loadScript('delete-expired-completed');
const WRITE_RESULT = loadScript('write-result');

/** Tasks of each set that one script call forwards. */
const FORWARD_BATCH = 100;

/** Asynq's operations by scripts, each on the master that owns the queue. */
export class RedisBroker implements Broker {
  readonly #router: RedisRouter;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #enqueuer: Enqueuer;
  readonly #settler: Settler;
  readonly #leaser: Leaser;
  readonly #watch: PendingWatch;
  readonly #announcer: ServerAnnouncer;
  readonly #groups: Groups;

  /** `router` is closed with the broker. `leaseSeconds`: length of its leases; `waitReplicas`: of every enqueue. */
  constructor(parts: {
    router: RedisRouter;
    clock: Clock;
    log: Logger;
    leaseSeconds?: number | undefined;
    waitReplicas?: ReplicaGoal | undefined;
  }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#enqueuer = new Enqueuer(parts);
    this.#settler = new Settler(parts);
    this.#leaser = new Leaser({ ...parts, settler: this.#settler });
    this.#watch = new PendingWatch(parts);
    this.#announcer = new ServerAnnouncer(parts);
    this.#groups = new Groups(parts);
  }

  enqueue(task: Enqueueing): Promise<void> {
    return this.#enqueuer.enqueue(task);
  }

  enqueueMany(tasks: Iterable<Enqueueing>): Promise<readonly unknown[]> {
    return this.#enqueuer.enqueueMany(tasks);
  }

  dequeue(queue: string, max: number): Promise<DequeueReply> {
    return this.#leaser.dequeue(queue, max);
  }

  awaitPending(queue: string, waiter: string, signal: AbortSignal): Promise<'pending' | 'quiet' | 'crowded'> {
    return this.#watch.wait(queue, waiter, signal);
  }

  settle(task: LeasedTask, settlement: Settlement): Promise<boolean> {
    return this.#settler.settle(task, settlement);
  }

  extendLeases(tasks: readonly LeasedTask[]): Promise<void> {
    return this.#leaser.extend(tasks);
  }

  listLeaseExpired(queue: string, before: number): Promise<LeasedTask[]> {
    return this.#leaser.claimExpired(queue, before);
  }

  async forward(queue: string): Promise<Forwarded> {
    const keys = new QueueKeys(queue);
    for (let moved = 0; ; ) {
      const now = this.#clock.now();
      const reply = await this.#router.run(
        FORWARD,
        [keys.inState('scheduled'), keys.retry, keys.pending, keys.groups],
        [keys.taskPrefix, keys.groupPrefix, unixSeconds(now), unixNanoseconds(now), FORWARD_BATCH],
      );
      const [count, more, nextDue, dropped] = list(FORWARD, reply);
      moved += integer(FORWARD, count);
      const taskIds = texts(FORWARD, dropped);
      if (taskIds.length > 0) this.#log.warn({ queue, taskIds }, 'dropped ids whose task is gone');
      if (integer(FORWARD, more) === 0) {
        return { moved, nextDue: nextDue === null ? undefined : Number(bytes(FORWARD, nextDue).toString()) };
      }
    }
  }

  async deleteExpiredCompleted(queue: string, batch: number): Promise<number> {
    const keys = new QueueKeys(queue);
    const args = [keys.taskPrefix, unixSeconds(this.#clock.now()), batch];
    return integer(
      DELETE_EXPIRED_COMPLETED,
      await this.#router.run(DELETE_EXPIRED_COMPLETED, [keys.completed], args),
    );
  }

  readyGroups(queue: string, policy: GroupPolicy, looker: string): Promise<ReadyGroups | undefined> {
    return this.#groups.look(queue, policy, looker);
  }

  claimGroup(queue: string, group: string, policy: GroupPolicy): Promise<AggregationSet | undefined> {
    return this.#groups.claim(queue, group, policy);
  }

  finishAggregation(set: AggregationSet, aggregate: Enqueueing): Promise<boolean> {
    return this.#groups.finish(set, aggregate);
  }

  returnToGroup(set: AggregationSet): Promise<number> {
    return this.#groups.return(set);
  }

  returnStaleSets(queue: string): Promise<number> {
    return this.#groups.returnStale(queue);
  }

  /** @throws ASYNQ_TASK_NOT_FOUND */
  async writeResult(queue: string, taskId: string, result: Uint8Array): Promise<void> {
    const stored = await this.#router.run(WRITE_RESULT, [new QueueKeys(queue).task(taskId)], [result]);
    if (integer(WRITE_RESULT, stored) === 1) return;
    throw taskNotFound(queue, taskId);
  }

  writeServerState(state: ServerState, ttlSeconds: number): Promise<void> {
    return this.#announcer.write(state, ttlSeconds);
  }

  clearServerState(state: Pick<ServerState, 'host' | 'pid' | 'serverId'>): Promise<void> {
    return this.#announcer.clear(state);
  }

  publishCancel(taskId: string): Promise<void> {
    return this.#router.publish(CANCEL_CHANNEL, taskId);
  }

  subscribeCancel(onCancel: (taskId: string) => void, signal: AbortSignal): Promise<void> {
    return this.#router.subscribe(CANCEL_CHANNEL, onCancel, signal);
  }

  ping(): Promise<void> {
    return this.#router.ping();
  }

  close(): Promise<void> {
    return this.#router.close();
  }
}
