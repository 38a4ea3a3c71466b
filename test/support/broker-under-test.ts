import type { Broker } from '../../src/broker/broker.ts';
import type { TaskMessage } from '../../src/wire/task-message.ts';

/** A broker, and a clock of its own that the cases turn. */
export interface BrokerUnderTest {
  readonly broker: Broker;
  readonly now: () => number;
  readonly advance: (ms: number) => Promise<void>;
  readonly limit: (queue: string, concurrency: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What one case has: the broker, and a queue of its own. */
export interface BrokerCase {
  readonly under: BrokerUnderTest;
  readonly queue: string;
  readonly enqueue: (fields?: Partial<TaskMessage>) => Promise<TaskMessage>;
  /** Takes tasks; their ids. */
  readonly ids: () => Promise<string[]>;
}
