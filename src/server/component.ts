import type { Logger } from '../runtime/logger.ts';

/** A part of a server with a life of its own: `run` resolves soon after its signal has aborted. */
export interface Component {
  run(signal: AbortSignal): Promise<void>;
}

/** A component that runs. */
export class Running {
  readonly #controller = new AbortController();
  /** Resolves when the component has ended; never rejects. */
  readonly ended: Promise<void>;

  constructor(name: string, component: Component, log: Logger) {
    this.ended = component.run(this.#controller.signal).catch((err: unknown) => {
      log.error({ err, component: name }, 'a component of the server ended with an error');
    });
  }

  /** Asks it to end; harmless when done before. */
  stop(): Promise<void> {
    this.#controller.abort();
    return this.ended;
  }
}
