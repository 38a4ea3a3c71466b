import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RedisConnOpt } from '../../src/redis/options.ts';
import { testCluster } from './redis.ts';

const MAIN = fileURLToPath(new URL('our-server-main.ts', import.meta.url));

/** Spans are milliseconds. */
export interface OurServerOptions {
  readonly queues: Readonly<Record<string, number>>;
  readonly concurrency: number;
  readonly leaseDuration?: number;
  /** How long each task takes; its handler listens to nothing. */
  readonly takes: number;
  readonly retryDelay: number;
  /** @default the tier's cluster */
  readonly redis?: RedisConnOpt;
}

/** A server of ours in a process of its own, like the Go peer's. It ends with us. */
export class OurServer implements AsyncDisposable {
  /** Attempts whose handlers have ended, however. */
  processed = 0;
  /** Ids of tasks that a handler is at. */
  readonly running = new Set<string>();
  /** Attempts that were begun: the task, and when, Unix milliseconds. */
  readonly taken: { readonly id: string; readonly at: number }[] = [];
  readonly started: Promise<void>;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(options: OurServerOptions) {
    this.#process = fork(MAIN, [JSON.stringify({ redis: testCluster(), ...options })], { execArgv: [] });
    this.#ended = new Promise((resolve) => this.#process.once('exit', () => resolve()));
    this.started = new Promise((resolve, reject) => {
      this.#process.on('message', ({ event, id }: { event: string; id: string }) => {
        if (event === 'started') resolve();
        else if (event === 'taken') {
          this.running.add(id);
          this.taken.push({ id, at: Date.now() });
        } else {
          this.running.delete(id);
          this.processed++;
        }
      });
      this.#process.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
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
