import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { DevMessage } from '../../src/cli/dev-output.ts';
import type { AsynqQueueStatus } from '../../src/operator/asynq-queue.ts';
import { binPath } from './bin.ts';
import { MARK, markedProcesses } from './marked-processes.ts';
import { until } from './until.ts';

type Status = AsynqQueueStatus;

/** `asynq-operator dev --output json` as a process, heard by a test. */
export class DevProcess implements AsyncDisposable {
  readonly messages: DevMessage[] = [];
  /** Exit code or signal. */
  readonly ended: Promise<number | string>;
  readonly #mark = randomUUID();
  readonly #process: ChildProcess;
  #stderr = '';

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#process = spawn(process.execPath, [binPath('asynq-operator'), 'dev', ...args, '--output', 'json'], {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], [MARK]: this.#mark, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.#process;
    if (stdout !== null) {
      createInterface({ input: stdout }).on('line', (line) =>
        this.messages.push(JSON.parse(line) as DevMessage),
      );
    }
    stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk;
    });
    this.ended = once(this.#process, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  }

  get stderr(): string {
    return this.#stderr;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** The last status of the AsynqQueue of this name. */
  status(name: string): Status | undefined {
    const last = this.messages.findLast((message) => message.type === 'status' && message.name === name);
    return last?.type === 'status' ? last.status : undefined;
  }

  condition(name: string, type: string): NonNullable<Status['conditions']>[number] | undefined {
    return this.status(name)?.conditions?.find((condition) => condition.type === type);
  }

  events(name: string): string[] {
    return this.messages.flatMap((message) =>
      message.type === 'event' && message.name === name ? [`${message.reason} ${message.message}`] : [],
    );
  }

  /** What was wrong with the manifests, from the beginning. */
  get faults(): string[] {
    return this.messages.flatMap((message) => (message.type === 'manifests' ? message.faults : []));
  }

  /** What was done to the manifests. */
  get edits(): string[] {
    return this.messages.flatMap((message) =>
      message.type === 'edit' ? [`${message.name} ${message.edit}`] : [],
    );
  }

  /** Texts of its own log. */
  get log(): string[] {
    return this.messages.flatMap((message) => (message.type === 'log' ? [message.line] : []));
  }

  /** What its workers wrote. */
  get output(): string[] {
    return this.messages.flatMap((message) => (message.type === 'output' ? [message.line] : []));
  }

  /** Waits until `look` is true; a process that ended meanwhile fails at once. */
  async until(look: () => boolean, what: string): Promise<void> {
    const died = this.ended.then((how) => Promise.reject(new Error(`dev ended (${how}): ${this.#stderr}`)));
    const lines = () => this.messages.slice(-5).map((message) => JSON.stringify(message));
    await Promise.race([until(look, { timeout: 20_000, what }), died]).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${lines().join('\n')}`, { cause: error });
    });
  }

  ready(name: string, replicas: number): Promise<void> {
    return this.until(
      () => this.status(name)?.readyReplicas === replicas,
      `${replicas} ready workers of ${name}`,
    );
  }

  /** Command lines of its workers. */
  async workers(): Promise<string[]> {
    return (await markedProcesses(this.#mark)).filter((line) => line.includes(' worker '));
  }

  /** All processes that it is or has started. */
  processes(): Promise<string[]> {
    return markedProcesses(this.#mark);
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGTERM');
    await this.ended;
    await until(async () => (await this.processes()).length === 0, {
      timeout: 20_000,
      what: 'the workers of dev to end',
    });
  }
}
