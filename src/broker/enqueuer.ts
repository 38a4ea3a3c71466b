import type { RedisRouter } from '../redis/router.ts';
import type { Clock } from '../runtime/clock.ts';
import { Batcher } from './batching.ts';
import type { Enqueueing } from './broker.ts';
import { BulkEnqueue } from './bulk-enqueue.ts';
import {
  callKey,
  EnqueueCalls,
  type EnqueueOutcome,
  type NewTask,
  newTask,
  type ReplicaGoal,
} from './enqueue-calls.ts';
import { QueueRegistry } from './queue-registry.ts';

/** One script call holds up its Redis for less than a millisecond, and no buffer grows without bound. */
const LIMITS = { maxItems: 128, maxBytes: 1 << 20, bytesOf: ({ msg }: NewTask): number => msg.byteLength };

/** Puts new tasks into their queues: those of one turn of the event loop, queue and kind with one script call. */
export class Enqueuer {
  readonly #registry: QueueRegistry;
  readonly #calls: EnqueueCalls;
  readonly #batcher: Batcher<NewTask, EnqueueOutcome>;

  constructor(parts: {
    router: Pick<RedisRouter, 'run' | 'command'>;
    clock: Clock;
    waitReplicas?: ReplicaGoal | undefined;
  }) {
    this.#registry = new QueueRegistry(parts);
    this.#calls = new EnqueueCalls(parts);
    this.#batcher = new Batcher({ run: (items) => this.#calls.run(items), ...LIMITS });
  }

  async enqueue(task: Enqueueing): Promise<void> {
    const item = newTask(task);
    const listing = this.#registry.ensure(task.message.queue);
    if (listing !== undefined) await listing;
    const error = await this.#batcher.add(callKey(task), item);
    if (error !== undefined) throw error;
  }

  enqueueMany(tasks: Iterable<Enqueueing>): Promise<unknown[]> {
    return new BulkEnqueue({ calls: this.#calls, registry: this.#registry, limits: LIMITS }).run(tasks);
  }
}
