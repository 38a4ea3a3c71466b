import type { LeasedTask } from '../../src/broker/broker.ts';
import { RedisBroker } from '../../src/broker/redis-broker.ts';
import type { RedisConnOpt } from '../../src/redis/options.ts';
import type { RedisRouter } from '../../src/redis/router.ts';
import type { TaskMessage } from '../../src/wire/task-message.ts';
import { FakeClock } from './fake-clock.ts';
import { type LogEntry, RecordingLogger } from './recording-logger.ts';
import { testRouter } from './router.ts';
import { taskMessage } from './task-messages.ts';

/** A broker on a real Redis, with a clock that stands still and is turned by the test. */
export interface BrokerOnRedis {
  readonly broker: RedisBroker;
  readonly router: RedisRouter;
  readonly clock: FakeClock;
  readonly logged: readonly LogEntry[];
  /** The clock's Unix second. */
  readonly second: () => number;
  /** Enqueues one task that is ready to run. */
  readonly enqueue: (fields: Partial<TaskMessage> & { queue: string }) => Promise<TaskMessage>;
  /** Enqueues one task and leases the next of its queue. */
  readonly lease: (fields: Partial<TaskMessage> & { queue: string }) => Promise<LeasedTask>;
}

/** Call it at the top of a file, which closes it. */
export function brokerOn(redis: RedisConnOpt): BrokerOnRedis {
  const log = new RecordingLogger();
  const router = testRouter(redis);
  const clock = new FakeClock(Math.floor(Date.now() / 1000) * 1000 + 250);
  const broker = new RedisBroker({ router, clock, log });
  const enqueue: BrokerOnRedis['enqueue'] = async (fields) => {
    const message = taskMessage(fields);
    await broker.enqueue({ message });
    return message;
  };
  return {
    broker,
    router,
    clock,
    logged: log.entries,
    second: () => Math.floor(clock.now() / 1000),
    enqueue,
    lease: async (fields) => {
      await enqueue(fields);
      const [task] = (await broker.dequeue(fields.queue, 1)).tasks;
      if (task === undefined) throw new Error('expected a task to lease, got none');
      return task;
    },
  };
}

/** Names of queues, ids and groups that break what splits, quotes or counts characters. */
export const HURTING_NAMES: readonly string[] = [
  'imágenes',
  'with spaces, commas and: colons',
  '📷',
  '{x}',
  'a}b',
  '"quoted"\n\'twice\'',
  '..\\%2F*?[]',
];
