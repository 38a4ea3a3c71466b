import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { testCluster } from '../../support/redis.ts';

const MAIN = fileURLToPath(new URL('server-main.ts', import.meta.url));

/** Spans are milliseconds. */
export interface FleetServerOptions {
  readonly queues: Readonly<Record<string, number>>;
  readonly concurrency: number;
  readonly leaseDuration: number;
  /** How long each task takes. */
  readonly takes: number;
  readonly retryDelay: number;
}

/** A running server of ours, like the Go peer's. It ends with us. */
export class OurServer implements AsyncDisposable {
  processed = 0;
  /** Ids of tasks that a handler is at. */
  readonly running = new Set<string>();
  readonly started: Promise<void>;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(options: FleetServerOptions) {
    this.#process = fork(MAIN, [JSON.stringify({ ...options, redis: testCluster() })], { execArgv: [] });
    this.#ended = new Promise((resolve) => this.#process.once('exit', () => resolve()));
    this.started = new Promise((resolve, reject) => {
      this.#process.on('message', ({ event, id }: { event: string; id: string }) => {
        if (event === 'started') resolve();
        else if (event === 'taken') this.running.add(id);
        else {
          this.running.delete(id);
          this.processed++;
        }
      });
      this.#process.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    });
  }

  /** Shuts it down, waiting for its handlers. */
  async stop(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    await this.#ended;
  }

  /** Ends it as if its machine had lost power. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
