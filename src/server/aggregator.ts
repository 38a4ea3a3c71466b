import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import type { AggregationSet, Broker, Enqueueing, GroupPolicy } from '../broker/broker.ts';
import { type Backoff, exponentialMs } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import { aborted } from '../runtime/lifecycle.ts';
import { LogThrottle } from '../runtime/log-throttle.ts';
import type { Logger } from '../runtime/logger.ts';
import { Nudge } from '../runtime/nudge.ts';
import { compose } from '../tasks/compose.ts';
import { Task } from '../tasks/task.ts';
import type { AggregateFunction } from './group-aggregator.ts';
import type { QueueSet } from './queue-set.ts';

/** Others may bring tasks back to a group that are due at once: as often as Go's looks. */
const LONGEST_SLEEP_MS = 7_000;

/** A group may grow to its largest size at any moment. */
const SIZE_LOOK_MS = 1_000;

/** A look at very many groups takes its time of Redis: so many times that is slept at least. */
const LOOK_COST = 10;

/** As Go's: aggregations of one queue at once. */
const AT_ONCE = 3;

/** Before a group whose aggregation failed is tried again. */
const AFTER_FAILURE: Backoff = { baseMs: 1_000, capMs: 60_000 };

/** Between two tries to write down what an aggregation came to. */
const REWRITE: Backoff = { baseMs: 100, capMs: 5_000 };

export interface AggregatorParts {
  readonly broker: Pick<Broker, 'readyGroups' | 'claimGroup' | 'finishAggregation' | 'returnToGroup'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly queues: QueueSet;
  readonly policy: GroupPolicy;
  readonly aggregate: AggregateFunction;
  /** Names this server among those that look at groups. */
  readonly looker: string;
  /** A task was made, and may be pending. */
  readonly onMade: () => void;
}

/** A group that failed. */
interface Failing {
  failures: number;
  /** Not tried before, monotonic. */
  after: number;
}

/** A queue, and what is known of its groups. */
interface Served {
  readonly queue: string;
  readonly failing: Map<string, Failing>;
  /** The groups that are being aggregated. */
  readonly busy: Map<string, Promise<void>>;
  /** One of them is done, and may be ready again. */
  readonly again: Nudge;
}

/**
 * Makes one task of those that wait in a group, when the group is ready.
 *
 * It sleeps until the next group is ready, as far as it knows them, where Go's looks each 7 s at every group. An
 * aggregation that throws gives its tasks back at once and keeps this server from the group for a while; one whose
 * server dies gives them back after two minutes. Either way each task becomes part of one aggregate: that goes in in
 * the same step in which its set goes out.
 *
 * States of a queue: looking -> beginning with what is ready -> sleeping -> looking, again when an aggregation ends. When its signal aborts, no aggregation begins any more;
 * `run` ends with the last of those under way, and `giveBack` cuts them short.
 */
export class Aggregator {
  readonly #parts: AggregatorParts;
  readonly #throttle: LogThrottle;
  /** The aggregations under way, each with what cuts it short. */
  readonly #underWay = new Map<Promise<void>, AbortController>();
  #isCut = false;
  readonly #longestSleep: number;

  constructor(parts: AggregatorParts) {
    this.#parts = parts;
    this.#throttle = new LogThrottle(parts.clock, parts.log);
    const { gracePeriod, maxDelay, maxSize } = parts.policy;
    this.#longestSleep = Math.min(
      LONGEST_SLEEP_MS,
      gracePeriod,
      maxDelay > 0 ? maxDelay : LONGEST_SLEEP_MS,
      maxSize > 0 ? SIZE_LOOK_MS : LONGEST_SLEEP_MS,
    );
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#parts.queues.each((queue, ending) => this.#serve(queue, ending), signal);
  }

  /** Resolves when no aggregation is under way. */
  async drained(): Promise<void> {
    await Promise.allSettled(this.#underWay.keys());
  }

  /** Gives the tasks of all aggregations under way back to their groups, and tells those who make them. */
  giveBack(): void {
    this.#isCut = true;
    for (const cut of this.#underWay.values()) cut.abort(new AsynqError('ASYNQ_CLOSED'));
  }

  async #serve(queue: string, signal: AbortSignal): Promise<void> {
    const served: Served = {
      queue,
      failing: new Map(),
      busy: new Map(),
      again: new Nudge(this.#parts.clock),
    };
    signal.addEventListener('abort', () => served.again.nudge(), { once: true });
    while (!signal.aborted) await served.again.sleep(await this.#pass(served, signal));
    await Promise.all(served.busy.values());
  }

  /** Begins with the groups that are ready, when no other server has just looked; how long to sleep then, milliseconds. */
  async #pass(served: Served, signal: AbortSignal): Promise<number> {
    const { queue, failing, busy } = served;
    const { broker, clock, looker, policy } = this.#parts;
    try {
      const start = clock.monotonic();
      const groups = await broker.readyGroups(queue, policy, looker);
      if (groups === undefined) return this.#longestSleep;
      const { ready, nextDue } = groups;
      const least = Math.max(1, (clock.monotonic() - start) * LOOK_COST);
      const stillReady = new Set(ready);
      const now = clock.monotonic();
      for (const [group, { after }] of failing) {
        if (after <= now && !stillReady.has(group) && !busy.has(group)) failing.delete(group);
      }
      const waiting = ready.filter((group) => !busy.has(group) && (failing.get(group)?.after ?? now) <= now);
      for (const group of waiting) {
        while (busy.size >= AT_ONCE) await Promise.race(busy.values());
        if (signal.aborted) return 0;
        busy.set(group, this.#aggregateGroup(group, served, signal));
      }
      const untilDue = nextDue === undefined ? this.#longestSleep : nextDue - clock.now();
      const untilTried = [...failing].flatMap(([group, { after }]) =>
        busy.has(group) ? [] : [after - clock.monotonic()],
      );
      return Math.max(
        Math.min(least, LONGEST_SLEEP_MS),
        Math.min(this.#longestSleep, untilDue, ...untilTried),
      );
    } catch (err) {
      this.#throttle.error({ err, queue }, 'cannot look at groups');
      return this.#longestSleep;
    }
  }

  async #aggregateGroup(
    group: string,
    { queue, failing, busy, again }: Served,
    signal: AbortSignal,
  ): Promise<void> {
    const { broker, clock, log, policy } = this.#parts;
    let set: AggregationSet | undefined;
    try {
      set = await broker.claimGroup(queue, group, policy);
      if (set === undefined) return;
      if (signal.aborted) await this.#return(set);
      else await this.#aggregate(set);
      failing.delete(group);
      again.nudge();
    } catch (err) {
      const failures = (failing.get(group)?.failures ?? 0) + 1;
      failing.set(group, { failures, after: clock.monotonic() + exponentialMs(failures, AFTER_FAILURE) });
      log.error({ err, queue, group }, 'cannot aggregate the tasks of a group');
      if (set !== undefined) await this.#return(set);
      again.nudge();
    } finally {
      busy.delete(group);
    }
  }

  async #aggregate(set: AggregationSet): Promise<void> {
    const cut = new AbortController();
    const done = this.#aggregateUnless(cut.signal, set);
    this.#underWay.set(done, cut);
    try {
      await done;
    } finally {
      this.#underWay.delete(done);
    }
  }

  async #aggregateUnless(cut: AbortSignal, set: AggregationSet): Promise<void> {
    const made = await Promise.race([this.#make(set, cut), aborted(cut)]);
    if (made === undefined || cut.aborted) await this.#return(set);
    else await this.#enqueue(set, made);
  }

  async #make({ queue, group, deadline, tasks }: AggregationSet, signal: AbortSignal): Promise<Task> {
    const { aggregate, log } = this.#parts;
    const made: unknown = await aggregate(
      group,
      tasks.map(({ message }) => Task.fromMessage(message)),
      { queue, deadline, signal, log: log.child({ queue, group }) },
    );
    if (isTask(made)) return made;
    throw new AsynqError('ASYNQ_HANDLER_INVALID', `expected a Task of the aggregator, got ${inspect(made)}`);
  }

  async #enqueue(set: AggregationSet, made: Task): Promise<void> {
    const { clock, log, onMade } = this.#parts;
    const { queue, group } = set;
    const { enqueueing } = compose(made, { queue }, { nowMs: clock.now(), newId: randomUUID });
    if (await this.#finish(set, enqueueing)) onMade();
    else log.warn({ queue, group }, 'an aggregation took too long: its tasks are in their group again');
  }

  /** Writes it down, as often as it takes while the set is ours. */
  async #finish(set: AggregationSet, enqueueing: Enqueueing): Promise<boolean> {
    const { broker, clock } = this.#parts;
    for (let failures = 1; ; failures++) {
      try {
        return await broker.finishAggregation(set, enqueueing);
      } catch (err) {
        const isRefused = !AsynqError.is(err) || !err.code.startsWith('ASYNQ_REDIS');
        if (isRefused || this.#isCut || clock.now() >= set.deadline) throw err;
        this.#throttle.error({ err, queue: set.queue }, 'cannot write an aggregated task yet');
        await clock.sleep(exponentialMs(failures, REWRITE));
      }
    }
  }

  async #return(set: AggregationSet): Promise<void> {
    const { broker, log } = this.#parts;
    const { queue, group } = set;
    try {
      await broker.returnToGroup(set);
    } catch (err) {
      log.warn({ err, queue, group }, 'cannot give tasks back to their group: they go back by themselves');
    }
  }
}

/** Of this package or of another copy of it. */
function isTask(made: unknown): made is Task {
  if (made instanceof Task) return true;
  if (typeof made !== 'object' || made === null || !('type' in made && 'payload' in made)) return false;
  return typeof made.type === 'string' && typeof made.payload === 'object' && made.payload !== null;
}
