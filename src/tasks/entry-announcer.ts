import type { SchedulerEntries } from '../broker/scheduler-entries.ts';
import { LogThrottle } from '../runtime/log-throttle.ts';
import { Nudge } from '../runtime/nudge.ts';
import type { SchedulerEntryRecord } from '../wire/scheduler-entry.ts';
import type { ResolvedSchedulerOptions } from './scheduler-options.ts';

/** Tells what the entries of a scheduler are, each beat and when they change, and at the end takes that back. */
export class EntryAnnouncer {
  readonly #announced: SchedulerEntries;
  readonly #schedulerId: string;
  readonly #records: () => readonly SchedulerEntryRecord[];
  readonly #options: ResolvedSchedulerOptions;
  readonly #changed: Nudge;

  constructor(parts: {
    announced: SchedulerEntries;
    schedulerId: string;
    records: () => readonly SchedulerEntryRecord[];
    options: ResolvedSchedulerOptions;
  }) {
    this.#announced = parts.announced;
    this.#schedulerId = parts.schedulerId;
    this.#records = parts.records;
    this.#options = parts.options;
    this.#changed = new Nudge(parts.options.clock);
  }

  /** The entries are others now, or the end has come. */
  nudge(): void {
    this.#changed.nudge();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, heartbeatInterval } = this.#options;
    const throttle = new LogThrottle(clock, log);
    const ttlSeconds = Math.max(1, Math.ceil((2 * heartbeatInterval) / 1000));
    while (!signal.aborted) {
      try {
        await this.#announced.write(this.#schedulerId, this.#records(), ttlSeconds);
      } catch (err) {
        throttle.error({ err }, 'cannot write the entries of the scheduler');
      }
      await this.#changed.sleep(heartbeatInterval);
    }
  }

  /** Takes back the entries, and their histories unless other schedulers go on with them. */
  async takeBack(): Promise<void> {
    const own = this.#options.highAvailability ? [] : this.#records();
    await Promise.all([
      this.#announced.clear(this.#schedulerId),
      ...own.map(({ id }) => this.#announced.clearHistory(id)),
    ]);
  }
}
