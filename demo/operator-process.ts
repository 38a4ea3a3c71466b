import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DevMessage } from '../src/cli/dev-output.ts';

const BIN = fileURLToPath(new URL('../src/bin/asynq-operator.ts', import.meta.url));
const MANIFESTS = fileURLToPath(new URL('./queues', import.meta.url));

/** Workers finish within their drain timeout; what takes longer hangs. Without its channel a worker ends by itself. */
const STOP_MS = 10_000;

/**
 * The product itself, as a user starts it: `asynq-operator dev demo/queues --output json`. In a process group of its own,
 * so that a Ctrl-C is ours to answer; with an IPC channel, so that it ends when we do, however we end.
 */
export class OperatorProcess {
  /** Resolves when it watches the queues, or has ended. */
  readonly ready: Promise<unknown>;
  /** Resolves when it has ended, with how; `undefined` for good order. */
  readonly ended: Promise<string | undefined>;
  readonly #process: ChildProcess;
  #lastWords = '';

  /** `redisAddr`: one node of the cluster; the operator finds the others. */
  constructor(redisAddr: string, onMessage: (message: DevMessage) => void) {
    this.#process = spawn(
      process.execPath,
      [BIN, 'dev', MANIFESTS, '--redis-addrs', redisAddr, '--output', 'json'],
      { detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
    );
    const { stdout, stderr } = this.#process;
    if (stdout !== null) {
      createInterface({ input: stdout }).on('line', (line) => onMessage(JSON.parse(line) as DevMessage));
    }
    if (stderr !== null) {
      createInterface({ input: stderr }).on('line', (line) => {
        this.#lastWords = line;
      });
    }
    this.ended = new Promise((resolve) => {
      this.#process.once('error', (error) => resolve(error.message));
      this.#process.once('close', (code, signal) => {
        const how = signal ?? `exit code ${code}`;
        resolve(code === 0 ? undefined : `asynq-operator dev ended with ${how}: ${this.#lastWords}`);
      });
    });
    const said = new Promise((resolve) => void this.#process.once('message', resolve));
    this.ready = Promise.race([said, this.ended]);
  }

  /** Lets the workers finish; a second call does not wait for them. Resolves when it has ended, with how. */
  async stop(): Promise<string | undefined> {
    this.#process.kill('SIGTERM');
    const ended = new AbortController();
    void sleep(STOP_MS, undefined, { signal: ended.signal }).then(
      () => this.#process.kill('SIGKILL'),
      () => {},
    );
    const how = await this.ended;
    ended.abort();
    return how;
  }
}
