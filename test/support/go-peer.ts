import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { goBuild } from '../lab/go-build.ts';
import { run } from '../lab/run.ts';
import { shortHash } from '../lab/short-hash.ts';

const SOURCES = join(import.meta.dirname, '../go-peer');

let built: Promise<string> | undefined;

/** The path of the program of test/go-peer, built when its sources changed. */
export function goPeerBinary(say: (line: string) => void = console.error): Promise<string> {
  built ??= build(say);
  return built;
}

async function build(say: (line: string) => void): Promise<string> {
  const files = (await readdir(SOURCES)).toSorted();
  const sources = await Promise.all(files.map((file) => readFile(join(SOURCES, file), 'utf8')));
  const version = shortHash([files, sources]);
  return goBuild({ name: 'go-peer', version, module: '../../go-peer', main: '.' }, say);
}

/** Where the peer finds Redis. */
export interface PeerRedis {
  readonly addrs: readonly string[];
  readonly cluster: boolean;
  readonly password?: string;
}

/** The flags that tell the peer of it. */
export function peerFlags({ addrs, cluster, password }: PeerRedis): string[] {
  return [
    `-redis=${addrs.join(',')}`,
    ...(cluster ? ['-cluster'] : []),
    ...(password === undefined ? [] : [`-password=${password}`]),
  ];
}

/** A task as Go's inspector shows it; times are Unix seconds, 0 for none, bytes are base64. */
export interface PeerTask {
  readonly id: string;
  readonly queue: string;
  readonly type: string;
  readonly payload: string | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly state: string;
  readonly maxRetry: number;
  readonly retried: number;
  readonly lastErr: string;
  readonly lastFailedAt: number;
  readonly timeoutSeconds: number;
  readonly deadline: number;
  readonly group: string;
  readonly nextProcessAt: number;
  readonly isOrphaned: boolean;
  readonly retentionSeconds: number;
  readonly completedAt: number;
  readonly result: string | null;
}

/** Go's asynq on the other side of a Redis; each call is a process of its own. */
export class GoPeer {
  readonly #binary: string;
  readonly #flags: readonly string[];

  constructor(binary: string, redis: PeerRedis) {
    this.#binary = binary;
    this.#flags = peerFlags(redis);
  }

  static async on(redis: PeerRedis): Promise<GoPeer> {
    return new GoPeer(await goPeerBinary(), redis);
  }

  /** Runs a command to its end; the JSON values that it printed. */
  async run(args: readonly string[], input = ''): Promise<unknown[]> {
    const output = await run(this.#binary, [...this.#flags, ...args], { input });
    return output.split('\n').filter(Boolean).map(parse);
  }

  /** Enqueues with Go's client; what became of each. */
  async enqueue(specs: readonly object[]): Promise<unknown[]> {
    return this.run(['enqueue'], specs.map((spec) => JSON.stringify(spec)).join('\n'));
  }

  async queue(queue: string): Promise<Readonly<Record<string, unknown>>> {
    const [info] = await this.run(['inspect', 'queue', queue]);
    return info as Readonly<Record<string, unknown>>;
  }

  async tasks(queue: string, state: string, group = ''): Promise<readonly PeerTask[]> {
    const [tasks] = await this.run(['inspect', 'tasks', queue, state, group]);
    return tasks as readonly PeerTask[];
  }

  async task(queue: string, id: string): Promise<PeerTask> {
    const [task] = await this.run(['inspect', 'task', queue, id]);
    return task as PeerTask;
  }

  /** The entries of all schedulers. */
  async entries(): Promise<readonly PeerEntry[]> {
    return (await this.run(['entries'])) as readonly PeerEntry[];
  }

  /** Starts Go's scheduler with entries of `spec` and `task`, which says too how it is enqueued; resolves when it runs. */
  async schedule(entries: readonly { readonly spec: string; readonly task: object }[]): Promise<GoServer> {
    const scheduler = new GoServer(
      spawn(this.#binary, [...this.#flags, 'schedule'], { stdio: ['pipe', 'pipe', 'inherit'] }),
      entries,
    );
    await scheduler.started;
    return scheduler;
  }

  /** Starts Go's server; resolves when it runs. Spans are milliseconds. */
  async serve(options: {
    queues: Readonly<Record<string, number>>;
    concurrency?: number;
    /** How long each task takes. */
    takes?: number;
    /** @default asynq's own */
    retryDelay?: number;
    /** Between two looks for tasks that are due. @default asynq's own */
    forwardEvery?: number;
    /** It joins so many tasks of a group at most, their payloads with commas between. @default it leaves groups alone */
    aggregate?: number;
  }): Promise<GoServer> {
    const { queues, concurrency = 10, takes = 0, retryDelay = 0, forwardEvery = 0, aggregate = 0 } = options;
    const args = [
      'serve',
      `-queues=${JSON.stringify(queues)}`,
      `-concurrency=${concurrency}`,
      `-takes=${takes}ms`,
      `-retry-delay=${retryDelay}ms`,
      `-forward-every=${forwardEvery}ms`,
      `-aggregate=${aggregate}`,
    ];
    const server = new GoServer(
      spawn(this.#binary, [...this.#flags, ...args], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    await server.started;
    return server;
  }
}

/** An entry of a scheduler as Go's inspector shows it; times are Unix seconds, 0 for none, bytes are base64. */
export interface PeerEntry {
  readonly id: string;
  readonly spec: string;
  readonly type: string;
  readonly payload: string | null;
  readonly options: readonly string[];
  readonly next: number;
  readonly prev: number;
  /** The newest first. */
  readonly events: readonly { readonly taskId: string; readonly enqueuedAt: number }[];
}

export interface PeerProcessed {
  readonly id: string;
  readonly queue: string;
  readonly type: string;
  readonly payload: string | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly retried: number;
  readonly maxRetry: number;
  readonly error?: string;
}

/** A running Go server or scheduler. It ends when its stdin closes, so it cannot outlive us. */
export class GoServer implements AsyncDisposable {
  /** What it has processed so far, in order. */
  readonly processed: PeerProcessed[] = [];
  /** Ids of tasks that a handler is at. */
  readonly running = new Set<string>();
  /** Attempts that were begun: the task, and when, Unix milliseconds. */
  readonly taken: { readonly id: string; readonly at: number }[] = [];
  readonly started: Promise<void>;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #ended: Promise<void>;

  /** `input`: what it reads first, one a line. */
  constructor(process: ChildProcessByStdio<Writable, Readable, null>, input: readonly object[] = []) {
    this.#process = process;
    this.#ended = new Promise((resolve) => process.once('close', () => resolve()));
    if (input.length > 0) process.stdin.write(`${input.map((one) => JSON.stringify(one)).join('\n')}\n\n`);
    const lines = createInterface({ input: process.stdout });
    this.started = new Promise((resolve, reject) => {
      lines.on('line', (line) => {
        const event = parse(line) as PeerProcessed & { event: string };
        if (event.event === 'started') resolve();
        else if (event.event === 'taken') {
          this.running.add(event.id);
          this.taken.push({ id: event.id, at: Date.now() });
        } else {
          this.running.delete(event.id);
          this.processed.push(event);
        }
      });
      process.once('close', (code) => reject(new Error(`go-peer serve ended with ${code}`)));
      process.once('error', reject);
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Shuts it down as SIGTERM would, waiting for its workers. */
  async stop(): Promise<void> {
    this.#process.stdin.end();
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

function parse(line: string): unknown {
  return JSON.parse(line);
}
