import type { Broker } from '../broker/broker.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { periodically } from '../runtime/periodic.ts';

export interface HealthCheckerParts {
  readonly broker: Pick<Broker, 'ping'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly intervalMs: number;
  /** Told the error of each ping, undefined when it was answered. */
  readonly healthCheck: (error: unknown) => void;
}

/** Asks Redis whether it is there, and tells the server's user. */
export class HealthChecker {
  readonly #parts: HealthCheckerParts;

  constructor(parts: HealthCheckerParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { broker, clock, log, intervalMs, healthCheck } = this.#parts;
    const failure = 'the health check function threw';
    const check = async () => {
      const error: unknown = await broker.ping().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      healthCheck(error);
    };
    await periodically({ clock, log, intervalMs, firstRun: 'after one interval', failure }, check, signal);
  }
}
