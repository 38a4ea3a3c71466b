import type { Command } from 'commander';
import type { RedisConnOpt } from '../redis/options.ts';
import type { RedisRouter } from '../redis/router.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import { silentLogger } from '../runtime/logger.ts';
import type { Inspector } from '../tasks/inspector.ts';
import { readConfigFile } from './config-file.ts';
import { connectionOf } from './connection.ts';
import { type Findings, type OutputFormat, renderAnswer } from './output.ts';
import { ExitCode } from './program.ts';
import { isUsernameFromEnvironment, SETTING_NAMES, type SettingSources } from './settings.ts';
import { visible } from './table.ts';
import { bold, type Terminal } from './terminal.ts';

/** What a command works with while it is connected. */
export interface Session {
  readonly redis: RedisRouter;
  readonly inspector: Inspector;
  readonly isCluster: boolean;
}

export interface ContextParts {
  readonly terminal: Terminal;
  /** What time it is for the commands. @default the system's */
  readonly clock?: Clock;
  /** @default `openRedis` */
  readonly open?: (connection: RedisConnOpt) => Promise<RedisRouter>;
}

/** What all commands of a program share; each group of commands is added with it. */
export class Context {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly #open: NonNullable<ContextParts['open']>;

  constructor({ terminal, clock = systemClock, open = openLazily }: ContextParts) {
    this.terminal = terminal;
    this.clock = clock;
    this.#open = open;
  }

  /** Connects as the flags say, for as long as `use` runs. Redis is known to answer then. */
  async connect<T>(command: Command, use: (session: Session) => Promise<T>): Promise<T> {
    const sources = await this.#settings(command);
    const connection = connectionOf(sources);
    const redis = await this.#open(connection);
    try {
      // Unlike a command, this does not wait for a server that is away.
      await redis.masters();
      const { Inspector } = await import('../tasks/inspector.ts');
      const inspector = new Inspector(redis, { clock: this.clock, log: silentLogger });
      return await use({ redis, inspector, isCluster: 'addrs' in connection });
    } catch (error) {
      throw withHint(error, sources);
    } finally {
      await redis.close();
    }
  }

  /** Connects, and prints what was found. What failed goes to stderr and makes the command fail. */
  async answer(command: Command, find: (session: Session) => Promise<Findings>): Promise<void> {
    await this.#print(command, await this.connect(command, find));
  }

  async #print(command: Command, findings: Findings): Promise<void> {
    const { failures = [], exitCode = failures.length > 0 ? 1 : 0 } = findings;
    const format = command.optsWithGlobals()['output'] as OutputFormat;
    this.terminal.out(await renderAnswer(findings, format, (text) => bold(this.terminal, text)));
    for (const failure of failures)
      this.terminal.err(`error: ${failure.split('\n').map(visible).join('\n')}\n`);
    if (exitCode !== 0) throw new ExitCode(exitCode);
  }

  async #settings(command: Command): Promise<SettingSources> {
    const { env } = this.terminal;
    const named = command.optsWithGlobals()['config'] as string | undefined;
    const file = await readConfigFile(named, env, SETTING_NAMES);
    if (file !== undefined) this.terminal.err(`Using config file: ${file.path}\n`);
    return { command, env, file };
  }
}

async function openLazily(connection: RedisConnOpt): Promise<RedisRouter> {
  const { openRedis } = await import('../redis/open.ts');
  return openRedis(connection, { clock: systemClock, log: silentLogger });
}

/** The error, with what the user may not think of. */
function withHint(error: unknown, sources: SettingSources): unknown {
  const hint = (text: string) =>
    new AsynqError((error as AsynqError).code, `${errorText(error)} (${text})`, { cause: error });
  if (AsynqError.is(error, 'ASYNQ_REDIS_AUTH') && isUsernameFromEnvironment(sources))
    return hint('the user name is that of the environment variable USERNAME');
  if (AsynqError.is(error, 'ASYNQ_REDIS_COMMAND') && /: MOVED /.test(error.message))
    return hint('the server is part of a cluster: use --cluster');
  return error;
}
