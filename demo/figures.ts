import { setTimeout as sleep } from 'node:timers/promises';
import type { QueueReader, QueueSnapshot } from '../src/broker/queue-reader.ts';

const EVERY_MS = 250;
const READS_PER_SAMPLE = 4;

/** What Redis says of the queues, looked at four times a second; and their backlogs, once a second. */
export class Figures {
  readonly #reader: QueueReader;
  readonly #queues: readonly string[];
  readonly #latest = new Map<string, QueueSnapshot>();
  readonly #backlogs = new Map<string, number[]>();

  constructor(reader: QueueReader, queues: readonly string[]) {
    this.#reader = reader;
    this.#queues = queues;
  }

  latest(queue: string): QueueSnapshot | undefined {
    return this.#latest.get(queue);
  }

  /** Tasks pending or active, one number a second, oldest first. */
  backlogs(queue: string): readonly number[] {
    return this.#backlogs.get(queue) ?? [];
  }

  async look(): Promise<void> {
    const readings = await this.#reader.read(this.#queues.map((queue) => ({ queue, soonSeconds: 0 })));
    for (const [queue, reading] of readings) {
      if (reading.kind === 'known') this.#latest.set(queue, reading.snapshot);
    }
  }

  /** Looks until `signal` aborts, and tells after each look. */
  async watch(onLook: () => void, signal: AbortSignal): Promise<void> {
    for (let reads = 0; !signal.aborted; reads++) {
      await this.look();
      if (reads % READS_PER_SAMPLE === 0) this.#sample();
      onLook();
      await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  #sample(): void {
    for (const queue of this.#queues) {
      const { pending, active } = this.#latest.get(queue)?.size ?? { pending: 0, active: 0 };
      this.#backlogs.set(queue, [...this.backlogs(queue), pending + active]);
    }
  }
}
