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
} from '../../src/broker/broker.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { AsynqError } from '../../src/runtime/errors.ts';
import { LEASE_SECONDS } from '../../src/wire/limits.ts';
import type { TaskState } from '../../src/wire/states.ts';
import type { TaskMessage } from '../../src/wire/task-message.ts';
import { FakeGroups } from './fake-groups.ts';

interface Stored {
  message: TaskMessage;
  state: TaskState;
  /** When it is due, was archived, or is to be deleted, Unix seconds. */
  score: number;
  /** End of the lease, Unix milliseconds; absent: none. */
  lease?: number;
  result?: Uint8Array;
  readonly unreadable: boolean;
}

interface FakeQueue {
  readonly groups: FakeGroups;
  readonly tasks: Map<string, Stored>;
  /** The last is the next. */
  readonly pending: string[];
  paused: boolean;
  /** Most active tasks. */
  concurrency: number;
  /** Wakes those who wait for pending tasks. */
  readonly waiting: Set<() => void>;
}

export type BrokerCall = Exclude<keyof Broker, 'close'>;

/**
 * A broker in memory: what a server sees of Redis, with the faults that a test asks for. It passes the same cases as the
 * real one (broker-cases.ts).
 */
export class FakeBroker implements Broker {
  /** Each call made, with its queue where it has one. */
  readonly calls: { readonly call: BrokerCall; readonly queue?: string }[] = [];
  readonly servers = new Map<string, ServerState>();
  /** At groups. */
  looks = 0;
  leaseSeconds: number = LEASE_SECONDS;
  readonly #clock: Clock;
  readonly #queues = new Map<string, FakeQueue>();
  readonly #locks = new Map<string, { readonly id: string; readonly until: number }>();
  readonly #listeners = new Set<(taskId: string) => void>();
  readonly #faults = new Map<string, () => Promise<void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Until `heal`, these calls (all, when none is named; of one queue, as `call queue`) fail as if Redis were away. */
  breakDown(...calls: string[]): void {
    this.#fault(calls, () => {
      throw new AsynqError('ASYNQ_REDIS_UNREACHABLE');
    });
  }

  /** Until `heal`, these calls wait, and then go on. */
  stall(...calls: string[]): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#healed.push(resolve);
    this.#fault(calls, () => promise);
  }

  /** Until `heal`, this call takes so many milliseconds. */
  slow(call: string, ms: number): void {
    this.#fault([call], () => this.#clock.sleep(ms));
  }

  readonly #healed: (() => void)[] = [];

  heal(): void {
    this.#faults.clear();
    for (const resolve of this.#healed.splice(0)) resolve();
  }

  pause(queue: string, paused = true): void {
    this.#queue(queue).paused = paused;
  }

  /** So many tasks may be active at once. */
  limit(queue: string, concurrency: number): void {
    this.#queue(queue).concurrency = concurrency;
  }

  stateOf(queue: string, id: string): TaskState | undefined {
    return this.#queue(queue).tasks.get(id)?.state;
  }

  /** Ids, the next first. */
  pendingOf(queue: string): string[] {
    return this.#queue(queue).pending.toReversed();
  }

  messageOf(queue: string, id: string): TaskMessage | undefined {
    return this.#queue(queue).tasks.get(id)?.message;
  }

  resultOf(queue: string, id: string): string | undefined {
    const result = this.#queue(queue).tasks.get(id)?.result;
    return result && Buffer.from(result).toString();
  }

  /** A pending task whose message nobody can read. */
  addUnreadable(queue: string, id: string): void {
    const message = { id, queue } as TaskMessage;
    this.#queue(queue).tasks.set(id, { message, state: 'pending', score: 0, unreadable: true });
    this.#push(this.#queue(queue), id);
  }

  async enqueue({ message, processAt, group, uniqueTtl, claim }: Enqueueing): Promise<void> {
    await this.#call('enqueue', message.queue);
    const queue = this.#queue(message.queue);
    if (claim !== undefined && this.#isLocked(claim.key)) throw new AsynqError('ASYNQ_CLAIM_TAKEN');
    if (uniqueTtl !== undefined && this.#isLocked(message.uniqueKey)) {
      throw new AsynqError('ASYNQ_DUPLICATE_TASK');
    }
    if (queue.tasks.has(message.id)) throw new AsynqError('ASYNQ_TASK_ID_CONFLICT');
    if (claim !== undefined) this.#lock(claim.key, message.id, claim.ttl);
    if (uniqueTtl !== undefined) this.#lock(message.uniqueKey, message.id, uniqueTtl);
    this.#enter(queue, { message, ...(processAt && { processAt }), ...(group && { group }) });
  }

  async enqueueMany(tasks: Iterable<Enqueueing>): Promise<readonly unknown[]> {
    const results = await Promise.allSettled([...tasks].map((task) => this.enqueue(task)));
    return results.map((result) => (result.status === 'rejected' ? result.reason : undefined));
  }

  #isLocked(key: string): boolean {
    return (this.#locks.get(key)?.until ?? 0) > this.#clock.now();
  }

  #lock(key: string, id: string, ttl: number): void {
    this.#locks.set(key, { id, until: this.#clock.now() + ttl * 1000 });
  }

  #enter(queue: FakeQueue, { message, processAt, group }: Enqueueing): void {
    const due = Math.floor((processAt ?? 0) / 1000);
    const isDue = due <= this.#nowSeconds();
    const state = isDue ? (group === undefined ? 'pending' : 'aggregating') : 'scheduled';
    queue.tasks.set(message.id, { message: { ...message }, state, score: due, unreadable: false });
    if (state === 'pending') this.#push(queue, message.id);
    if (state === 'aggregating' && group !== undefined)
      queue.groups.add(group, message.id, this.#clock.now());
  }

  /** Ids of the tasks that wait in a group. */
  groupOf(queue: string, group: string): string[] {
    return this.#queue(queue).groups.idsOf(group);
  }

  async readyGroups(name: string, policy: GroupPolicy, looker: string): Promise<ReadyGroups | undefined> {
    await this.#call('readyGroups', name);
    const ready = this.#queue(name).groups.ready(policy, looker, this.#clock.now());
    if (ready !== undefined) this.looks++;
    return ready;
  }

  async claimGroup(name: string, group: string, policy: GroupPolicy): Promise<AggregationSet | undefined> {
    await this.#call('claimGroup', name);
    const queue = this.#queue(name);
    const set = queue.groups.claim(group, policy, this.#clock.now());
    if (set === undefined) return undefined;
    const { key, deadline, ids } = set;
    const tasks = ids.flatMap((id) => {
      const message = queue.tasks.get(id)?.message;
      return message === undefined ? [] : [{ id, message: { ...message } }];
    });
    return { queue: name, group, key, deadline, tasks };
  }

  async finishAggregation(
    { queue: name, key, tasks }: AggregationSet,
    aggregate: Enqueueing,
  ): Promise<boolean> {
    await this.#call('finishAggregation', name);
    const queue = this.#queue(name);
    if (!queue.groups.hasSet(key)) return false;
    if (queue.tasks.has(aggregate.message.id)) throw new AsynqError('ASYNQ_TASK_ID_CONFLICT');
    queue.groups.dropSet(key);
    for (const { id, message } of tasks) {
      queue.tasks.delete(id);
      this.#unlock(message);
    }
    this.#enter(queue, aggregate);
    return true;
  }

  async returnToGroup({ queue, key }: AggregationSet): Promise<number> {
    await this.#call('returnToGroup', queue);
    return this.#queue(queue).groups.returnSet(key);
  }

  async returnStaleSets(name: string): Promise<number> {
    await this.#call('returnStaleSets', name);
    return this.#queue(name).groups.returnStaleSets(this.#clock.now());
  }

  async dequeue(name: string, max: number): Promise<DequeueReply> {
    await this.#call('dequeue', name);
    const queue = this.#queue(name);
    if (queue.paused) return { tasks: [], reason: 'paused' };
    const tasks: LeasedTask[] = [];
    const active = [...queue.tasks.values()].filter(({ lease = 0 }) => lease > this.#clock.now()).length;
    while (tasks.length < max) {
      if (queue.pending.length > 0 && active + tasks.length >= queue.concurrency)
        return { tasks, reason: 'limited', limit: 'concurrency', retryAfterMs: 250 };
      const id = queue.pending.pop();
      if (id === undefined) return { tasks, reason: 'empty' };
      const stored = queue.tasks.get(id);
      if (stored === undefined) continue;
      if (stored.unreadable) {
        Object.assign(stored, { state: 'archived', score: this.#nowSeconds() });
        continue;
      }
      stored.state = 'active';
      stored.lease = this.#leaseEnd();
      tasks.push({ queue: name, id, message: { ...stored.message }, leaseExpiresAt: stored.lease });
    }
    return { tasks, reason: 'ok' };
  }

  async awaitPending(
    name: string,
    _waiter: string,
    signal: AbortSignal,
  ): Promise<'pending' | 'quiet' | 'crowded'> {
    await this.#call('awaitPending', name);
    const queue = this.#queue(name);
    const over = new AbortController();
    const wake = () => over.abort();
    if (signal.aborted || queue.pending.length > 0) wake();
    signal.addEventListener('abort', wake);
    queue.waiting.add(wake);
    await this.#clock.sleep(5_000, over.signal);
    queue.waiting.delete(wake);
    signal.removeEventListener('abort', wake);
    if (signal.aborted) throw new AsynqError('ASYNQ_CLOSED');
    return queue.pending.length > 0 ? 'pending' : 'quiet';
  }

  async settle(task: LeasedTask, settlement: Settlement): Promise<boolean> {
    await this.#call('settle', task.queue);
    const queue = this.#queue(task.queue);
    const stored = queue.tasks.get(task.id);
    if (stored?.state !== 'active' || stored.lease === undefined) return false;
    delete stored.lease;
    this.#write(queue, stored, settlement);
    return true;
  }

  #write(queue: FakeQueue, stored: Stored, settlement: Settlement): void {
    const now = this.#nowSeconds();
    const { message } = stored;
    const fail = (error: string) => Object.assign(message, { errorMsg: error, lastFailedAt: now });
    switch (settlement.kind) {
      case 'done':
        if (message.retention > 0) {
          message.completedAt = now;
          Object.assign(stored, { state: 'completed', score: now + message.retention });
        } else queue.tasks.delete(message.id);
        return this.#unlock(message);
      case 'revoke':
        queue.tasks.delete(message.id);
        return this.#unlock(message);
      case 'retry':
        fail(settlement.error);
        if (settlement.isFailure) message.retried++;
        Object.assign(stored, { state: 'retry', score: Math.floor(settlement.at / 1000) });
        return;
      case 'archive':
        fail(settlement.error);
        Object.assign(stored, { state: 'archived', score: now });
        return;
      case 'requeue':
        stored.state = 'pending';
        queue.pending.push(message.id);
        for (const wake of queue.waiting) wake();
    }
  }

  async extendLeases(tasks: readonly LeasedTask[]): Promise<void> {
    const queues = Map.groupBy(tasks, (task) => task.queue);
    await Promise.all(
      [...queues].map(async ([name, ofQueue]) => {
        await this.#call('extendLeases', name);
        for (const task of ofQueue) {
          const stored = this.#queue(name).tasks.get(task.id);
          if (stored?.lease === undefined) continue;
          stored.lease = this.#leaseEnd();
          task.leaseExpiresAt = stored.lease;
        }
      }),
    );
  }

  async forward(name: string): Promise<Forwarded> {
    await this.#call('forward', name);
    const queue = this.#queue(name);
    const delayed = [...queue.tasks.values()].filter(
      ({ state }) => state === 'scheduled' || state === 'retry',
    );
    const due = delayed.filter(({ score }) => score <= this.#nowSeconds());
    for (const stored of due) {
      stored.state = 'pending';
      this.#push(queue, stored.message.id);
    }
    const later = delayed.filter((stored) => !due.includes(stored)).map(({ score }) => score);
    return { moved: due.length, nextDue: later.length === 0 ? undefined : Math.min(...later) };
  }

  async listLeaseExpired(name: string, before: number): Promise<LeasedTask[]> {
    await this.#call('listLeaseExpired', name);
    const ended = [...this.#queue(name).tasks].filter(
      ([, { lease = Number.POSITIVE_INFINITY }]) => lease <= before,
    );
    return ended.map(([id, stored]) => {
      stored.lease = this.#leaseEnd();
      return { queue: name, id, message: { ...stored.message }, leaseExpiresAt: stored.lease };
    });
  }

  async deleteExpiredCompleted(name: string, batch: number): Promise<number> {
    await this.#call('deleteExpiredCompleted', name);
    const { tasks } = this.#queue(name);
    const over = [...tasks].filter(
      ([, { state, score }]) => state === 'completed' && score <= this.#nowSeconds(),
    );
    for (const [id] of over.slice(0, batch)) tasks.delete(id);
    return Math.min(over.length, batch);
  }

  async writeResult(queue: string, taskId: string, result: Uint8Array): Promise<void> {
    await this.#call('writeResult', queue);
    const stored = this.#queue(queue).tasks.get(taskId);
    if (stored === undefined) throw new AsynqError('ASYNQ_TASK_NOT_FOUND');
    stored.result = result;
  }

  async writeServerState(state: ServerState): Promise<void> {
    await this.#call('writeServerState');
    this.servers.set(state.serverId, state);
  }

  async clearServerState({ serverId }: Pick<ServerState, 'host' | 'pid' | 'serverId'>): Promise<void> {
    await this.#call('clearServerState');
    this.servers.delete(serverId);
  }

  async publishCancel(taskId: string): Promise<void> {
    await this.#call('publishCancel');
    for (const listener of this.#listeners) listener(taskId);
  }

  async subscribeCancel(onCancel: (taskId: string) => void, signal: AbortSignal): Promise<void> {
    await this.#call('subscribeCancel');
    if (signal.aborted) return;
    this.#listeners.add(onCancel);
    signal.addEventListener('abort', () => this.#listeners.delete(onCancel), { once: true });
  }

  async ping(): Promise<void> {
    await this.#call('ping');
  }

  async close(): Promise<void> {}

  #push(queue: FakeQueue, id: string): void {
    queue.pending.unshift(id);
    for (const wake of queue.waiting) wake();
  }

  #fault(calls: readonly string[], fault: () => Promise<void>): void {
    for (const call of calls.length === 0 ? ['*'] : calls) this.#faults.set(call, fault);
  }

  async #call(call: BrokerCall, queue?: string): Promise<void> {
    this.calls.push(queue === undefined ? { call } : { call, queue });
    const fault = this.#faults.get(`${call} ${queue}`) ?? this.#faults.get(call) ?? this.#faults.get('*');
    await fault?.();
  }

  #unlock(message: TaskMessage): void {
    if (this.#locks.get(message.uniqueKey)?.id === message.id) this.#locks.delete(message.uniqueKey);
  }

  #leaseEnd(): number {
    return (this.#nowSeconds() + this.leaseSeconds) * 1000;
  }

  #nowSeconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }

  #queue(name: string): FakeQueue {
    const queue = this.#queues.get(name) ?? {
      groups: new FakeGroups(),
      tasks: new Map(),
      pending: [],
      paused: false,
      concurrency: Number.POSITIVE_INFINITY,
      waiting: new Set(),
    };
    this.#queues.set(name, queue);
    return queue;
  }
}
