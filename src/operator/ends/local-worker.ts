import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Clock } from '../../runtime/clock.ts';
import { parseLogLine } from '../../runtime/log-line.ts';

/** Output may still be on its way when a process has ended; a grandchild may hold its pipe open for ever. */
const LAST_OUTPUT_MS = 500;

/** A worker that does not tell its load by then counts with what it told before. */
const ASK_MS = 300;

export interface LocalWorkerOptions {
  /** Name of the worker, its POD_NAME. */
  readonly name: string;
  /** Identifies the template that `env` was made from. */
  readonly revision: string;
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** A line that the worker wrote. */
  readonly onOutput: (line: string, stream: 'stdout' | 'stderr') => void;
}

export interface WorkerEnd {
  /** `exit code 1`, `SIGKILL`, `spawn node ENOENT`. */
  readonly how: string;
  /** Last line on stderr, else on stdout; of a JSON log, its message. */
  readonly lastWords: string | undefined;
}

/**
 * A process of the worker runtime on this machine.
 *
 * It runs in a process group of its own, so that a Ctrl-C at the terminal is its owner's to answer; and it has an IPC
 * channel to us: over it comes `{type: 'ready', port}`, and when it breaks, because we are no more, the worker ends too.
 *
 * States: starting -> ready -> stopping -> ended; any state may end.
 */
export class LocalWorker {
  readonly name: string;
  readonly revision: string;
  /** Monotonic, milliseconds. */
  readonly startedAt: number;
  /** Resolves when the process is gone. */
  readonly ended: Promise<WorkerEnd>;
  readonly #clock: Clock;
  readonly #process: ChildProcess;
  #state: 'starting' | 'ready' | 'stopping' | 'ended' = 'starting';
  #readyAt: number | undefined;
  #port: number | undefined;
  #wasStopped = false;
  #active = 0;

  constructor(options: LocalWorkerOptions, onReady: (worker: LocalWorker) => void) {
    const { name, revision, command, env, clock } = options;
    this.name = name;
    this.revision = revision;
    this.startedAt = clock.monotonic();
    this.#clock = clock;
    const [program, ...args] = command;
    this.#process = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.#process.on('message', (message) => {
      const port = readyPort(message);
      if (port === undefined || this.#state !== 'starting') return;
      this.#state = 'ready';
      this.#readyAt = clock.monotonic();
      this.#port = port;
      onReady(this);
    });
    this.ended = this.#watchEnd(options.onOutput);
  }

  get state(): 'starting' | 'ready' | 'stopping' | 'ended' {
    return this.#state;
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  /** Since when it is or was ready, monotonic milliseconds. */
  get readyAt(): number | undefined {
    return this.#readyAt;
  }

  /** Port of its health and metrics, once it is ready. */
  get port(): number | undefined {
    return this.#port;
  }

  /** Whether `stop` was called before it ended. */
  get wasStopped(): boolean {
    return this.#wasStopped;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Tasks that it works on, as `askActive` last heard. */
  get active(): number {
    return this.#active;
  }

  /** Asks it how many tasks it works on; what is no answer leaves things as they were. */
  async askActive(): Promise<void> {
    if (this.#port === undefined) return;
    try {
      const signal = AbortSignal.timeout(ASK_MS);
      const response = await fetch(`http://127.0.0.1:${this.#port}/metrics`, { signal });
      const running = (await response.text()).matchAll(/^asynq_worker_tasks_running(?:\{.*\})? (\d+)$/gm);
      this.#active = [...running].reduce((sum, [, count]) => sum + Number(count), 0);
    } catch {
      // Which worker leaves first is a courtesy: a busy one finishes its tasks all the same.
    }
  }

  /** SIGTERM; SIGKILL to whatever is left after `graceMs`. Resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    if (this.#state === 'ended' || this.#state === 'stopping') return void (await this.ended);
    this.#state = 'stopping';
    this.#wasStopped = true;
    this.#process.kill('SIGTERM');
    const gone = new AbortController();
    const end = this.ended.then(() => gone.abort());
    await this.#clock.sleep(graceMs, gone.signal);
    this.kill();
    await end;
  }

  /** SIGKILL, at once, to it and to what it started. */
  kill(): void {
    if (this.#state === 'ended' || this.pid === undefined) return;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // The group is gone already: what was wanted.
    }
  }

  async #watchEnd(onOutput: LocalWorkerOptions['onOutput']): Promise<WorkerEnd> {
    const said: { stdout?: string; stderr?: string } = {};
    for (const stream of ['stdout', 'stderr'] as const) {
      const input = this.#process[stream];
      if (input === null) continue;
      createInterface({ input }).on('line', (line) => {
        if (line.trim() !== '') said[stream] = line;
        onOutput(line, stream);
      });
    }
    const closed = new AbortController();
    this.#process.once('close', () => closed.abort());
    const how = await new Promise<string>((resolve) => {
      this.#process.once('error', (error) => resolve(error.message));
      this.#process.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    await this.#clock.sleep(LAST_OUTPUT_MS, closed.signal);
    this.#state = 'ended';
    const line = said.stderr ?? said.stdout;
    return { how, lastWords: line === undefined ? undefined : (parseLogLine(line)?.message ?? line) };
  }
}

function readyPort(message: unknown): number | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { type, port } = message as { type?: unknown; port?: unknown };
  return type === 'ready' && typeof port === 'number' ? port : undefined;
}
