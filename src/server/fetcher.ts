import type { Broker, DequeueReply, LeasedTask } from '../broker/broker.ts';
import { type Backoff, exponentialMs } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { LogThrottle } from '../runtime/log-throttle.ts';
import type { Logger } from '../runtime/logger.ts';
import { Nudge } from '../runtime/nudge.ts';
import type { Random } from '../runtime/random.ts';
import type { Processor } from './processor.ts';
import { sharesOf, tiersOf } from './queue-order.ts';
import type { QueueSet } from './queue-set.ts';

/** Between two looks at a queue that cannot be read. */
const RETRY: Backoff = { baseMs: 100, capMs: 5_000 };

/** Other queues wait for the answer of a slow one for at most this long. */
const PATIENCE_MS = 250;

interface Answer {
  readonly taken: number;
  /** It filled all the slots that it was offered. */
  readonly full: boolean;
  readonly left: 'more' | 'empty' | 'nothing to be had';
}

interface QueueInLine {
  readonly name: string;
  weight: number;
  /** What the last dequeue said; undefined while it is unanswered. */
  answer: Answer | undefined;
  /** The round that asked did not wait for the answer. */
  isLate: boolean;
  /** Failures in a row. */
  failures: number;
  /** Not asked before, on the monotonic clock. */
  askAfter: number;
}

const NEVER_ASKED: Answer = { taken: 0, full: true, left: 'nothing to be had' };
const FAILED: Answer = { taken: 0, full: false, left: 'nothing to be had' };

const LEFT = {
  ok: 'more',
  empty: 'empty',
  paused: 'nothing to be had',
  limited: 'nothing to be had',
} as const;

/** Servers that are kept off by one limit do not come back all in one moment; a rate allows for more than this. */
const SPREAD_MS = 25;

/** Limits are believed for so long: they may be raised, or taken away, long before the next start is due. */
const LIMITS_STAND_MS = 1_000;

export interface FetcherParts {
  readonly broker: Pick<Broker, 'dequeue'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly queues: QueueSet;
  readonly strictPriority: boolean;
  readonly processor: Pick<Processor, 'freeSlots' | 'slotFree' | 'reserve' | 'release' | 'take' | 'refuse'>;
  /** Told of each queue that was found empty, when the fetcher goes idle. */
  readonly onEmpty: (queue: string) => void;
  /** Milliseconds between two looks at empty queues. */
  readonly taskCheckInterval: number;
}

/**
 * Brings tasks to free slots: one loop, and in it one dequeue per queue for all the slots that are its share.
 *
 * A round offers the free slots tier by tier; what a queue leaves is offered to those of its tier that had more. When
 * all were found empty the loop sleeps, half to one and a half intervals long, or until it is nudged. A queue whose
 * master does not answer is left alone for a growing while and holds no other queue up; the slots that it was offered
 * stay reserved until it answers, since the tasks in a late reply are leased and must be run. A queue that is held back by
 * its limits is left alone for as long as it says, a second at most.
 *
 * States: waiting for a slot -> asking -> waiting | idle -> asking; `run` ends, after the last answer, when its signal
 * has aborted and the processor is quiet.
 */
export class Fetcher {
  readonly #parts: FetcherParts;
  #tiers: readonly (readonly QueueInLine[])[] = [];
  #isSingle = false;
  readonly #throttle: LogThrottle;
  readonly #nudge: Nudge;
  readonly #unanswered = new Set<Promise<void>>();
  /** Queues of which as many tasks are active as may be. */
  readonly #full = new Map<string, QueueInLine>();

  constructor(parts: FetcherParts) {
    this.#parts = parts;
    this.#lineUp();
    this.#throttle = new LogThrottle(parts.clock, parts.log);
    this.#nudge = new Nudge(parts.clock);
  }

  /** There may be work: an idle fetcher looks at once. */
  nudge(): void {
    this.#nudge.nudge();
  }

  /** A task of this queue, of this server, is active no more: where that was waited for, another may start. */
  settled(queue: string): void {
    const full = this.#full.get(queue);
    if (full === undefined) return;
    this.#full.delete(queue);
    full.askAfter = 0;
    this.nudge();
  }

  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.nudge(), { once: true });
    const unfollow = this.#parts.queues.follow(() => {
      this.#lineUp();
      this.nudge();
    });
    while (!signal.aborted) {
      await this.#parts.processor.slotFree();
      if (signal.aborted) break;
      const asked = this.#parts.clock.monotonic();
      const more = await this.#round(signal);
      if (!more) await this.#idle(asked);
    }
    unfollow();
    await Promise.all(this.#unanswered);
  }

  /** Queues as they are now; those that were in line before keep what is known of them. */
  #lineUp(): void {
    const { queues, strictPriority } = this.#parts;
    const known = new Map(this.#tiers.flat().map((queue) => [queue.name, queue]));
    this.#tiers = tiersOf(queues.priorities, strictPriority).map((tier) =>
      tier.map(({ name, weight }) => {
        const queue = known.get(name) ?? newcomer(name);
        queue.weight = weight;
        return queue;
      }),
    );
    this.#isSingle = this.#tiers.flat().length === 1;
  }

  /** Offers each slot that is free now; resolves to true when some queue may have more tasks. */
  async #round(signal: AbortSignal): Promise<boolean> {
    let slots = this.#parts.processor.freeSlots;
    let more = false;
    for (const tier of this.#tiers) {
      let queues = tier.filter((queue) => this.#mayAsk(queue));
      while (slots > 0 && queues.length > 0 && !signal.aborted) {
        const offers = this.#offersOf(slots, queues);
        await this.#answers([...offers].map(([queue, offered]) => this.#ask(queue, offered)));
        for (const [queue, offered] of offers) {
          queue.isLate = queue.answer === undefined;
          slots -= queue.answer?.taken ?? offered;
          more ||= queue.answer?.left === 'more';
        }
        queues = queues.filter((queue) => !offers.has(queue) || queue.answer?.full);
      }
    }
    return more || slots <= 0;
  }

  #mayAsk(queue: QueueInLine): boolean {
    return queue.answer !== undefined && queue.askAfter <= this.#parts.clock.monotonic();
  }

  #offersOf(slots: number, queues: readonly QueueInLine[]): Map<QueueInLine, number> {
    const weights = queues.map((queue) => queue.weight);
    const shares = sharesOf(slots, weights, this.#parts.random);
    const offers = queues.map((queue, index): [QueueInLine, number] => [queue, shares[index] ?? 0]);
    return new Map(offers.filter(([, share]) => share > 0));
  }

  /** Resolves when all have answered, or those that have not are slow. */
  async #answers(asked: readonly Promise<void>[]): Promise<void> {
    const all = Promise.all(asked);
    if (this.#isSingle) {
      await all;
      return;
    }
    const patience = new AbortController();
    await Promise.race([all, this.#parts.clock.sleep(PATIENCE_MS, patience.signal)]);
    patience.abort();
  }

  #ask(queue: QueueInLine, slots: number): Promise<void> {
    queue.answer = undefined;
    queue.isLate = false;
    this.#full.delete(queue.name);
    this.#parts.processor.reserve(slots);
    const asking = this.#dequeue(queue, slots).finally(() => this.#unanswered.delete(asking));
    this.#unanswered.add(asking);
    return asking;
  }

  async #dequeue(queue: QueueInLine, slots: number): Promise<void> {
    const { broker, clock, processor, random } = this.#parts;
    let tasks: readonly LeasedTask[] = [];
    try {
      const reply = await broker.dequeue(queue.name, slots);
      tasks = reply.tasks;
      queue.answer = { taken: tasks.length, full: tasks.length >= slots, left: LEFT[reply.reason] };
      queue.failures = 0;
      if (reply.reason === 'limited') this.#keepOff(queue, reply);
      if (queue.isLate && (reply.reason === 'ok' || reply.reason === 'limited')) this.nudge();
    } catch (err) {
      queue.answer = FAILED;
      queue.failures++;
      // Half of it is chance: a whole fleet loses a master at once and should not come back at once.
      queue.askAfter = clock.monotonic() + exponentialMs(queue.failures, RETRY) * (0.5 + random() / 2);
      this.#throttle.error({ err, queue: queue.name }, 'cannot dequeue');
    }
    processor.release(slots);
    if (this.#parts.queues.has(queue.name)) processor.take(tasks);
    else processor.refuse(tasks);
  }

  #keepOff(queue: QueueInLine, { limit, retryAfterMs }: DequeueReply & { reason: 'limited' }): void {
    const { clock, random } = this.#parts;
    queue.askAfter = clock.monotonic() + Math.min(retryAfterMs, LIMITS_STAND_MS) + random() * SPREAD_MS;
    if (limit === 'concurrency') this.#full.set(queue.name, queue);
  }

  /** `asked`: when the last round began; what fell due in the course of it is overdue, and not slept over. */
  async #idle(asked: number): Promise<void> {
    const { clock, random, taskCheckInterval, onEmpty } = this.#parts;
    const now = clock.monotonic();
    const queues = this.#tiers.flat();
    for (const { name, answer } of queues) if (answer?.left === 'empty') onEmpty(name);
    const retries = queues.filter(({ askAfter }) => askAfter > asked);
    const pause = taskCheckInterval * (0.5 + random());
    await this.#nudge.sleep(Math.min(pause, ...retries.map(({ askAfter }) => Math.max(0, askAfter - now))));
  }
}

function newcomer(name: string): QueueInLine {
  return { name, weight: 1, answer: NEVER_ASKED, isLate: false, failures: 0, askAfter: 0 };
}
