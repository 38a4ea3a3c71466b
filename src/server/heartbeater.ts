import type { Broker, ServerState } from '../broker/broker.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { periodically } from '../runtime/periodic.ts';

/** As Go's; what is announced lives for two beats. */
export const BEAT_MS = 5_000;
const TTL_SECONDS = (2 * BEAT_MS) / 1000;

export interface HeartbeaterParts {
  readonly broker: Pick<Broker, 'writeServerState' | 'clearServerState'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly state: () => ServerState;
}

/** Announces the server and what it works on, and at the end takes that back. */
export class Heartbeater {
  readonly #parts: HeartbeaterParts;

  constructor(parts: HeartbeaterParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { broker, clock, log, state } = this.#parts;
    const failure = 'cannot write the state of the server';
    const beat = () => broker.writeServerState(state(), TTL_SECONDS);
    await periodically({ clock, log, intervalMs: BEAT_MS, firstRun: 'at once', failure }, beat, signal);
    try {
      await broker.clearServerState(state());
    } catch (err) {
      log.warn({ err }, 'cannot clear the state of the server; it expires by itself');
    }
  }
}
