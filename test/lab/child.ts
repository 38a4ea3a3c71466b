import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type UntilOptions, until } from '../support/until.ts';
import { findOnPath } from './find-on-path.ts';

/** Time that a process gets to end on SIGTERM before SIGKILL, milliseconds. */
const TERM_GRACE_MS = 5_000;

export interface ChildOptions {
  /** What failures call it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Working directory; the log, stdout and stderr together, is `<name>.log` in it. */
  readonly dir: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A server process of the lab: in its own process group (a Ctrl-C at the terminal is ours to answer), gone when we are,
 * however we end. An orderly end runs the exit hook; for `kill -9` the kernel is asked through `setpriv --pdeathsig`
 * (Linux with util-linux; elsewhere only the hook).
 *
 * States: running <-> paused -> ended.
 */
export class Child {
  readonly name: string;
  readonly logFile: string;
  /** Resolves when the process has ended, with how. */
  readonly ended: Promise<string>;
  #end: string | undefined;
  readonly #process: ChildProcess;

  constructor(options: ChildOptions) {
    const { name, command, args, dir, env } = options;
    this.name = name;
    this.logFile = join(dir, `${name}.log`);
    const log = openSync(this.logFile, 'a');
    const setpriv = findOnPath('setpriv');
    const [program, ...rest] =
      setpriv === undefined ? [command, ...args] : [setpriv, '--pdeathsig', 'KILL', command, ...args];
    this.#process = spawn(program, rest, {
      cwd: dir,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    this.ended = new Promise((resolve) => {
      const settle = (end: string) => {
        this.#end = end;
        running.delete(this);
        resolve(end);
      };
      this.#process.once('exit', (code, signal) => settle(signal ?? `exit code ${code}`));
      this.#process.once('error', (error) => settle(error.message));
    });
    running.add(this);
    killAllOnExit();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get isRunning(): boolean {
    return this.#end === undefined;
  }

  /** Waits until `look` is truthy; a process that ends meanwhile fails at once, with the last lines of its log. */
  async ready<T>(look: () => T | Promise<T>, options: UntilOptions = {}): Promise<T> {
    const stop = new AbortController();
    const wait = until(look, { what: `${this.name} to be ready`, ...options, signal: stop.signal });
    try {
      return await Promise.race([wait, this.ended.then((end) => Promise.reject(this.#failure(end)))]);
    } catch (error) {
      throw this.#end === undefined ? this.#failure('not ready', error) : error;
    } finally {
      stop.abort();
      await wait.catch(() => {});
    }
  }

  /** The last lines that the process wrote. */
  tail(lines = 15): string {
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#end === undefined && this.pid !== undefined) killGroup(this.pid, signal);
  }

  /** SIGTERM, after the grace SIGKILL; or SIGKILL at once. Resolves when the process is gone. */
  async stop(how: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.signal(how);
    const late = setTimeout(() => this.signal('SIGKILL'), TERM_GRACE_MS);
    await this.ended;
    clearTimeout(late);
  }

  #failure(end: string, cause?: unknown): Error {
    return new Error(`${this.name}: ${end}; its log ends with:\n${this.tail()}`, { cause });
  }
}

const running = new Set<Child>();
let hooked = false;

function killAllOnExit(): void {
  if (hooked) return;
  hooked = true;
  process.once('exit', () => {
    for (const child of running) child.signal('SIGKILL');
  });
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It ended in this very moment: what was wanted.
  }
}
