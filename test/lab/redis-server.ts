import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { errorText } from '../../src/runtime/errors.ts';
import { Child } from './child.ts';
import { onFreePorts } from './free-ports.ts';
import { type RedisBinaries, redisBinaries } from './redis-binaries.ts';
import { run } from './run.ts';
import { tempDir } from './temp-dir.ts';

const START_DEADLINE_MS = 30_000;
/** A paused or busy server must not hold a test for ever. */
const COMMAND_TIMEOUT_MS = 3_000;

export interface RedisOptions {
  /** Address to listen on, and the one that clients are told. @default '127.0.0.1' */
  readonly host?: string;
  readonly password?: string;
  /** Directives of redis.conf, over ours; values as they stand in the file. */
  readonly config?: Readonly<Record<string, string>>;
}

/**
 * One redis-server process.
 *
 * States: running <-> paused (SIGSTOP: the port takes connections and never answers); running -> down (killed, as by a
 * power cut) -> running again on the same port, with what it had on disk.
 */
export class RedisServer implements AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly #binaries: RedisBinaries;
  readonly #dir: string;
  readonly #config: Readonly<Record<string, string>>;
  #password: string | undefined;
  #child: Child | undefined;

  constructor(parts: { binaries: RedisBinaries; port: number; dir: string; options: RedisOptions }) {
    this.#binaries = parts.binaries;
    this.host = parts.options.host ?? '127.0.0.1';
    this.port = parts.port;
    this.#dir = parts.dir;
    this.#password = parts.options.password;
    this.#config = parts.options.config ?? {};
  }

  /** `host:port`. */
  get addr(): string {
    return `${this.host}:${this.port}`;
  }

  get password(): string | undefined {
    return this.#password;
  }

  get isRunning(): boolean {
    return this.#child?.isRunning ?? false;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the process and waits until it answers; harmless when it runs. */
  async start(): Promise<void> {
    if (this.isRunning) return;
    await mkdir(this.#dir, { recursive: true });
    const conf = join(this.#dir, 'redis.conf');
    await writeFile(conf, this.#directives());
    this.#child = new Child({
      name: `redis-${this.port}`,
      command: this.#binaries.server,
      args: [conf],
      dir: this.#dir,
    });
    // A server that loads its data says LOADING: alive, but nothing to work with yet.
    await this.#child.ready(async () => (await this.call('PING')) === 'PONG', { timeout: START_DEADLINE_MS });
  }

  #directives(): string {
    const secret = this.#password === undefined ? undefined : JSON.stringify(this.#password);
    const directives = {
      port: String(this.port),
      bind: this.host,
      dir: JSON.stringify(this.#dir),
      'protected-mode': 'no',
      save: '""',
      ...(secret === undefined ? {} : { requirepass: secret, masterauth: secret }),
      ...this.#config,
    };
    return Object.entries(directives)
      .map(([name, value]) => `${name} ${value}\n`)
      .join('');
  }

  /** One command over a connection of its own; fails when the server is down, hangs, or answers with an error. */
  async call(command: string, ...args: (string | number)[]): Promise<unknown> {
    const client = new Redis({
      host: this.host,
      port: this.port,
      ...(this.#password === undefined ? {} : { password: this.#password }),
      protocol: 2,
      lazyConnect: true,
      enableReadyCheck: false,
      retryStrategy: () => null,
      connectTimeout: COMMAND_TIMEOUT_MS,
      commandTimeout: COMMAND_TIMEOUT_MS,
    });
    let refused: Error | undefined; // of the connection: the command's own error only says that there is none
    client.on('error', (error) => {
      refused = error;
    });
    try {
      await client.connect();
      return await client.call(command, ...args);
    } catch (error) {
      throw new Error(`${this.addr} ${command}: ${errorText(refused ?? error)}`, { cause: error });
    } finally {
      client.disconnect();
    }
  }

  /** What redis-cli prints for a command on this server. */
  async cli(args: readonly string[]): Promise<string> {
    const env = this.#password === undefined ? {} : { REDISCLI_AUTH: this.#password };
    const address = ['-h', this.host, '-p', String(this.port)];
    return (await run(this.#binaries.cli, [...address, ...args], { env })).trimEnd();
  }

  /** A field of INFO, e.g. `await server.info('role')`. */
  async info(field: string): Promise<string | undefined> {
    const text = String(await this.call('INFO', 'all'));
    return new RegExp(`^${field}:(.*?)\r?$`, 'm').exec(text)?.[1];
  }

  /** Rotates the password of the running server and of its later starts. */
  async changePassword(password: string): Promise<void> {
    await this.call('CONFIG', 'SET', 'masterauth', password, 'requirepass', password);
    this.#password = password;
  }

  /** SIGSTOP: a server that hangs. */
  pause(): void {
    this.#child?.signal('SIGSTOP');
  }

  resume(): void {
    this.#child?.signal('SIGCONT');
  }

  /** `kill -9`; `start` brings it back. */
  async kill(): Promise<void> {
    await this.#child?.stop('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

export interface StandaloneRedis extends AsyncDisposable {
  readonly server: RedisServer;
  readonly addr: string;
  readonly password: string | undefined;
  /** Ends the process and removes its folder; harmless when done before. */
  stop(): Promise<void>;
}

/** One Redis that is not part of a cluster, on a free port. */
export async function startRedis(options: RedisOptions = {}): Promise<StandaloneRedis> {
  const binaries = await redisBinaries();
  return onFreePorts(1, options.host, async ([port = 0]) => {
    const dir = await tempDir('redis');
    const server = new RedisServer({ binaries, port, dir: dir.path, options });
    const stop = async () => {
      await server.kill();
      await dir.remove();
    };
    try {
      await server.start();
    } catch (error) {
      await stop();
      throw error;
    }
    return { server, addr: server.addr, password: options.password, stop, [Symbol.asyncDispose]: stop };
  });
}
