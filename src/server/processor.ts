import type { Broker, LeasedTask, Settlement } from '../broker/broker.ts';
import type { Clock } from '../runtime/clock.ts';
import { AsynqError, type ErrorCode } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { isThenable } from '../runtime/thenable.ts';
import { ActiveTask, allToldSince } from './active-task.ts';
import { Deadlines } from './deadlines.ts';
import type { HandlerFunction } from './handler.ts';
import { deadlineOf } from './outcome.ts';
import { Prefetch } from './prefetch.ts';

/** Starting a batch of handlers that compute must not keep timers and sockets waiting for longer than this at a time. */
const TURN_MS = 20;

/** Tasks in hand of which none was started for so long are of more use to another server. */
const STALL_MS = 20;

const DONE: Settlement = { kind: 'done' };
const REQUEUE: Settlement = { kind: 'requeue' };

/** What the processor tells, and asks of, the rest of the server. */
export interface ProcessorParts {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Logger;
  readonly concurrency: number;
  /** Whether tasks may be held beyond free slots, where handlers are very short. */
  readonly prefetch: boolean;
  /** Milliseconds that a handler that was told to stop has to end before its task is settled. */
  readonly stopGrace: number;
  readonly handle: HandlerFunction;
  /** Writes an outcome. */
  readonly settle: (task: LeasedTask, settlement: Settlement) => void;
  /** The lease has ended: nothing is written for the attempt. */
  readonly lose: (task: LeasedTask) => void;
  /** Judges a failed attempt; tells the user's error handler. */
  readonly judge: (task: ActiveTask, thrown: unknown) => Settlement;
  /** A handler has ended, however. */
  readonly onHandled: (task: ActiveTask, durationMs: number) => void;
}

/**
 * Runs handlers, at most `concurrency` at a time, and decides what becomes of their tasks.
 *
 * A slot belongs to a handler until the handler has ended. A handler that is told to stop (timeout, cancellation, lost
 * lease) and does not listen keeps its slot: Go's asynq gives the slot away and so runs more handlers than it was asked
 * to, against databases and memory that were sized for fewer. The price is that handlers that hang for ever use up the
 * slots; `stuckSince` says when that has happened. Its task stays ours for a while as well, so that the retry does not
 * run beside it: it is settled when the handler has ended, and over its head when the grace is over.
 *
 * A task's states are those of ActiveTask.
 */
export class Processor {
  readonly #parts: ProcessorParts;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines<ActiveTask>;
  readonly #prefetch: Prefetch | undefined;
  readonly #inHand = new Set<ActiveTask>();
  /** Tasks in hand whose handler was not called yet, first come first. */
  #backlog: ActiveTask[] = [];
  #reserved = 0;
  /** Handlers that have not ended. */
  #atWork = 0;
  /** Handlers called so far. */
  #started = 0;
  #starting = false;
  #watching = false;
  #quiet = false;
  #slotFree: PromiseWithResolvers<void> | undefined;
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(parts: ProcessorParts) {
    this.#parts = parts;
    this.#clock = parts.clock;
    this.#prefetch = parts.prefetch ? new Prefetch(parts.concurrency) : undefined;
    this.#deadlines = new Deadlines(parts.clock, (task) => this.#tellToStop(task, 'ASYNQ_TASK_TIMEOUT'));
  }

  /** Tasks to be fetched now: one for each slot that is free, and when handlers are very short some to hold besides. */
  get freeSlots(): number {
    const held = this.#prefetch?.tasks ?? 0;
    const room = this.#parts.concurrency + held - this.#inHand.size - this.#reserved;
    return room > held / 2 ? room : 0;
  }

  /** Tasks in hand, in every state but `ended`. */
  get tasks(): Iterable<ActiveTask> {
    return this.#inHand;
  }

  /** Since when every slot is held by a handler that was told to stop, Unix milliseconds; undefined: it is not so. */
  get stuckSince(): number | undefined {
    return this.#atWork < this.#parts.concurrency ? undefined : allToldSince(this.#inHand);
  }

  /** Keeps slots for tasks that are being fetched. */
  reserve(slots: number): void {
    this.#reserved += slots;
  }

  release(slots: number): void {
    this.#reserved -= slots;
    this.#announceSlot();
  }

  /**
   * Resolves when a slot is free, or when no handler is started any more. Slots that become free in one turn of the
   * event loop are announced together: one fetch for all of them.
   */
  async slotFree(): Promise<void> {
    if (this.freeSlots > 0 || this.#quiet) return;
    this.#slotFree ??= Promise.withResolvers();
    await this.#slotFree.promise;
  }

  /** Runs tasks that were leased, never more than `freeSlots` asked for. */
  take(leased: readonly LeasedTask[]): void {
    for (const lease of leased) {
      const task = new ActiveTask(lease, this.#parts);
      this.#inHand.add(task);
      this.#backlog.push(task);
    }
    if (this.#quiet) this.giveBackUnstarted();
    else this.#startBacklog();
  }

  /** Tasks that were leased and are not to be run go back to their queue at once. */
  refuse(leased: readonly LeasedTask[]): void {
    for (const lease of leased.toReversed()) this.#parts.settle(lease, REQUEUE);
  }

  /** Gives tasks back that were not started, of one queue or of all. */
  giveBackUnstarted(queue?: string): void {
    const isMeant = (task: ActiveTask) => queue === undefined || task.queue === queue;
    const unstarted = this.#backlog.filter((task) => task.state === 'leased' && isMeant(task));
    this.#backlog = this.#backlog.filter((task) => !isMeant(task));
    this.refuse(unstarted.map(({ leased }) => leased));
    for (const task of unstarted.toReversed()) this.#end(task);
  }

  /** Starts no handler any more: tasks that were not started go back to their queues at once. */
  quiet(): void {
    this.#quiet = true;
    this.giveBackUnstarted();
    this.#announceSlot();
  }

  /** Resolves when the last handler has ended. */
  async drained(): Promise<void> {
    if (this.#inHand.size === 0) return;
    this.#empty ??= Promise.withResolvers();
    await this.#empty.promise;
  }

  /**
   * Gives all that is in hand back to its queue, as if it had never been taken, and tells the handlers. What is given back
   * last is the next to run, so the first to come goes last.
   */
  giveBack(): void {
    for (const task of [...this.#inHand].toReversed()) this.#abandon(task, 'ASYNQ_CLOSED');
    this.quiet();
    this.#deadlines.stop();
  }

  /** The lease of a task ended: what its handler still does must not be written. */
  leaseLost(task: ActiveTask): void {
    this.#abandon(task, 'ASYNQ_LEASE_EXPIRED');
  }

  /** Cancels the tasks of this id, in whichever queue, or all. */
  cancel(taskId?: string): void {
    for (const task of this.#inHand) {
      if (taskId === undefined || task.taskId === taskId) this.#tellToStop(task, 'ASYNQ_TASK_CANCELED');
    }
  }

  #startBacklog(): void {
    if (this.#starting || this.#backlog.length === 0) return;
    this.#starting = true;
    const turnEnd = this.#clock.monotonic() + TURN_MS;
    while (this.#atWork < this.#parts.concurrency && this.#clock.monotonic() < turnEnd) {
      const next = this.#backlog.shift();
      if (next === undefined) break;
      if (next.state === 'leased') this.#start(next);
    }
    this.#starting = false;
    if (this.#backlog.length === 0) return;
    if (this.#atWork < this.#parts.concurrency) setImmediate(() => this.#startBacklog());
    else void this.#watchBacklog();
  }

  /** Gives back what waits in hand behind handlers that turn out not to be short. */
  async #watchBacklog(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    let before = -1;
    while (this.#backlog.length > 0 && this.#started !== before) {
      before = this.#started;
      await this.#clock.sleep(STALL_MS);
    }
    this.#watching = false;
    if (this.#backlog.length === 0) return;
    this.#prefetch?.stalled();
    this.giveBackUnstarted();
  }

  #start(task: ActiveTask): void {
    const now = this.#clock.now();
    task.deadline = deadlineOf(task.leased.message, now);
    if (task.leased.leaseExpiresAt <= now) return this.#abandon(task, 'ASYNQ_LEASE_EXPIRED');
    if (task.deadline <= now) return this.#abandon(task, 'ASYNQ_TASK_TIMEOUT');
    task.state = 'running';
    task.startedAt = now;
    task.dueAt = task.deadline;
    this.#started++;
    this.#atWork++;
    this.#deadlines.add(task);
    try {
      const result = this.#parts.handle(task.task, task);
      if (isThenable(result)) {
        const threw = (thrown: unknown) => this.#threw(task, thrown);
        Promise.resolve(result).then(() => this.#returned(task), threw);
      } else this.#returned(task);
    } catch (thrown) {
      this.#threw(task, thrown);
    }
  }

  #returned(task: ActiveTask): void {
    if (task.state === 'running') this.#parts.settle(task.leased, DONE);
    this.#handled(task);
  }

  #threw(task: ActiveTask, thrown: unknown): void {
    if (task.state === 'running') this.#failed(task, thrown);
    this.#handled(task);
  }

  /** An attempt whose lease has ended is judged by whoever recovers it, and by nobody else. */
  #failed(task: ActiveTask, thrown: unknown): void {
    const { leased } = task;
    if (leased.leaseExpiresAt <= this.#clock.now()) this.#parts.lose(leased);
    else this.#parts.settle(leased, this.#parts.judge(task, thrown));
  }

  #handled(task: ActiveTask): void {
    if (task.state === 'stopping') this.#failed(task, task.reason);
    const durationMs = this.#clock.now() - task.startedAt;
    this.#prefetch?.handled(durationMs);
    this.#parts.onHandled(task, durationMs);
    this.#atWork--;
    this.#end(task);
    this.#startBacklog();
  }

  /** Lets a handler at work end before its task is settled, if it does so soon. */
  #tellToStop(task: ActiveTask, code: ErrorCode): void {
    if (task.state !== 'running' || this.#parts.stopGrace === 0) return this.#abandon(task, code);
    task.state = 'stopping';
    this.#tell(task, code);
    task.dueAt = task.toldAt + this.#parts.stopGrace;
    this.#deadlines.add(task);
  }

  /** Decides the outcome over the head of a handler that is at work, or was not called yet. */
  #abandon(task: ActiveTask, code: ErrorCode): void {
    const { state } = task;
    if (!task.isHeld) return;
    task.state = 'abandoned';
    if (state !== 'stopping') this.#tell(task, code);
    if (code === 'ASYNQ_CLOSED' && state !== 'stopping') this.#parts.settle(task.leased, REQUEUE);
    else this.#failed(task, task.reason);
    if (state === 'leased') this.#end(task);
  }

  #tell(task: ActiveTask, code: ErrorCode): void {
    task.toldAt = this.#clock.now();
    this.#deadlines.remove(task);
    task.abort(new AsynqError(code));
  }

  #end(task: ActiveTask): void {
    task.state = 'ended';
    this.#deadlines.remove(task);
    this.#inHand.delete(task);
    this.#announceSlot();
    if (this.#inHand.size === 0) {
      this.#empty?.resolve();
      this.#empty = undefined;
    }
  }

  #announceSlot(): void {
    if (this.#slotFree === undefined || (this.freeSlots <= 0 && !this.#quiet)) return;
    setImmediate(this.#slotFree.resolve);
    this.#slotFree = undefined;
  }
}
