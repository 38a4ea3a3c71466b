import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type WorkerEnv, writeWorkerEnv } from '../../src/runtime/worker-env.ts';

const MAIN = fileURLToPath(new URL('worker-main.ts', import.meta.url));
const FROM_SOURCE = new URL('from-source.mjs', import.meta.url).href;

/** A worker in a process of its own, with an environment that holds what it is told and nothing else. */
export class WorkerProcess implements AsyncDisposable {
  /** Resolves when the process is gone, with its exit code or the signal that ended it. */
  readonly ended: Promise<number | string>;
  readonly #process: ChildProcess;
  readonly #said: string[] = [];
  readonly #port = Promise.withResolvers<number>();

  /** `env`: variables besides, or instead. */
  constructor(worker: WorkerEnv, env: Readonly<Record<string, string>> = {}) {
    this.#process = spawn(process.execPath, ['--import', FROM_SOURCE, MAIN], {
      env: { ...writeWorkerEnv(worker), ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#listen(this.#process.stdout);
    this.#listen(this.#process.stderr);
    this.#process.on('message', (message: { type?: string; port?: number }) => {
      if (message.type === 'ready' && message.port !== undefined) this.#port.resolve(message.port);
    });
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => resolve(signal ?? code ?? 'gone'));
    });
    void this.ended.then((how) =>
      this.#port.reject(new Error(`ended with ${how}:\n${this.said.join('\n')}`)),
    );
    this.#port.promise.catch(() => {}); // who waits for it hears of it
  }

  /** The port of its HTTP server, once it is ready. */
  get ready(): Promise<number> {
    return this.#port.promise;
  }

  /** Lines that it wrote. */
  get said(): readonly string[] {
    return this.#said.join('').split('\n').filter(Boolean);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** As if the process that started it had died. */
  disconnect(): void {
    this.#process.disconnect();
  }

  async get(path: string): Promise<{ status: number; body: string }> {
    const response = await fetch(`http://127.0.0.1:${await this.ready}${path}`);
    return { status: response.status, body: await response.text() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  #listen(stream: Readable | null): void {
    stream?.setEncoding('utf8').on('data', (text: string) => this.#said.push(text));
  }
}
