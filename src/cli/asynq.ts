import { type Command, Option } from 'commander';
import type { RedisRouter } from '../redis/router.ts';
import { systemClock } from '../runtime/clock.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import { silentLogger } from '../runtime/logger.ts';
import { addConnectionFlags, connectionOf, isUsernameFromEnvironment } from './connection.ts';
import { OUTPUT_FORMATS, type OutputFormat, renderAnswer } from './output.ts';
import { createProgram, ExitCode, type Terminal } from './program.ts';
import type { Findings } from './queue.ts';

/** The `asynq` command line: the commands and flags of Go's CLI, with `--output` besides. */
export function asynqProgram(terminal: Terminal): Command {
  const program = createProgram('asynq', 'Inspect the queues of Asynq in Redis.', terminal);
  addConnectionFlags(program);
  program.addOption(
    new Option('-o, --output <format>', 'how answers are printed').choices(OUTPUT_FORMATS).default('table'),
  );

  const queue = program.command('queue').description('Look at queues');
  queue
    .command('list')
    .alias('ls')
    .description('List queues; with --cluster, also their key slot and the nodes that serve it')
    .action(async (_, command: Command) => {
      const { listQueues, listQueuesWithNodes } = await import('./queue.ts');
      await answer(command, terminal, (redis, { isCluster }) =>
        isCluster ? listQueuesWithNodes(redis) : listQueues(redis),
      );
    });
  queue
    .command('inspect')
    .argument('<queue...>', 'names of queues')
    .description('Show the figures of queues')
    .action(async (queues: string[], _, command: Command) => {
      const { inspectQueues } = await import('./queue.ts');
      const { RedisQueueReader } = await import('../broker/redis-queue-reader.ts');
      await answer(command, terminal, (redis) =>
        inspectQueues({ redis, reader: new RedisQueueReader(redis), clock: systemClock }, queues),
      );
    });
  return program;
}

/** Asks Redis and prints what was found; what could not be found goes to stderr and makes the command fail. */
async function answer(
  command: Command,
  terminal: Terminal,
  find: (redis: RedisRouter, connection: { isCluster: boolean }) => Promise<Findings>,
): Promise<void> {
  const connection = connectionOf(command, terminal.env);
  const { openRedis } = await import('../redis/open.ts');
  const redis = openRedis(connection, { clock: systemClock, log: silentLogger });
  try {
    // Unlike a command, this does not wait for a server that is away.
    await redis.masters();
    const found = await find(redis, { isCluster: 'addrs' in connection });
    terminal.out(await renderAnswer(found.answer, command.optsWithGlobals()['output'] as OutputFormat));
    for (const failure of found.failures) terminal.err(`error: ${failure}\n`);
    if (found.failures.length > 0) throw new ExitCode(1);
  } catch (error) {
    throw withHint(error, command, terminal);
  } finally {
    await redis.close();
  }
}

/** The error, with what the user may not think of. */
function withHint(error: unknown, command: Command, terminal: Terminal): unknown {
  const hint = (text: string) =>
    new AsynqError((error as AsynqError).code, `${errorText(error)} (${text})`, { cause: error });
  if (AsynqError.is(error, 'ASYNQ_REDIS_AUTH') && isUsernameFromEnvironment(command, terminal.env))
    return hint('the user name is that of the environment variable USERNAME');
  if (AsynqError.is(error, 'ASYNQ_REDIS_COMMAND') && /: MOVED /.test(error.message))
    return hint('the server is part of a cluster: use --cluster');
  return error;
}
