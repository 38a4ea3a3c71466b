import { type Command, Option } from 'commander';
import { defined } from '../runtime/defined.ts';
import { addGroup, helpSection, withExamples } from './commands.ts';
import type { Context } from './context.ts';
import { positiveInteger, positiveNumber } from './flag-values.ts';

interface LimitFlags {
  readonly concurrency?: number;
  readonly rate?: number;
  readonly clear?: boolean;
}

/** `asynq queue ...`: to look at queues and to pause, resume, limit and remove them. */
export function addQueueCommands(program: Command, context: Context): void {
  const group = addGroup(program, 'queue', 'Manage queues');

  const list = group
    .command('list')
    .alias('ls')
    .description('List queues; of a cluster, also their key slot and the nodes that serve it')
    .action(async (_, command: Command) => {
      const { listQueues, listQueuesWithNodes } = await import('./queue-list.ts');
      await context.answer(command, ({ inspector, isCluster }) =>
        isCluster ? listQueuesWithNodes(inspector) : listQueues(inspector),
      );
    });
  withExamples(list, 'asynq queue list', 'asynq queue ls --cluster --output json');

  const inspect = group
    .command('inspect')
    .argument('<queue...>', 'names of queues')
    .description('Show the figures of queues')
    .action(async (queues: string[], _, command: Command) => {
      const { inspectQueues } = await import('./queue-inspect.ts');
      await context.answer(command, ({ inspector }) => inspectQueues(inspector, queues));
    });
  withExamples(inspect, 'asynq queue inspect critical low');

  const history = group
    .command('history')
    .argument('<queue...>', 'names of queues')
    .description('Show what queues did, a day a line, the newest first')
    .addOption(new Option('-x, --days <number>', 'how many days back').argParser(positiveInteger).default(10))
    .action(async (queues: string[], { days }: { days: number }, command: Command) => {
      const { showHistory } = await import('./queue-history.ts');
      await context.answer(command, ({ inspector }) => showHistory(inspector, queues, days));
    });
  withExamples(history, 'asynq queue history default --days 30');

  const pause = group
    .command('pause')
    .argument('<queue...>', 'names of queues')
    .description('Let no more tasks of queues be taken')
    .action(async (queues: string[], _, command: Command) => {
      const { pauseQueues } = await import('./queue-changes.ts');
      await context.answer(command, ({ inspector }) => pauseQueues(inspector, queues));
    });
  withExamples(pause, 'asynq queue pause emails');

  const resume = group
    .command('resume')
    .alias('unpause')
    .argument('<queue...>', 'names of queues')
    .description('Let tasks of paused queues be taken again')
    .action(async (queues: string[], _, command: Command) => {
      const { resumeQueues } = await import('./queue-changes.ts');
      await context.answer(command, ({ inspector }) => resumeQueues(inspector, queues));
    });
  withExamples(resume, 'asynq queue resume emails');

  const limits = group
    .command('limits')
    .argument('<queue...>', 'names of queues')
    .description('Show, set or clear how much of queues may run, over all servers of this package')
    .addOption(new Option('--concurrency <number>', 'tasks active at once').argParser(positiveInteger))
    .addOption(
      new Option('--rate <number>', 'tasks started per second, as 100 or 0.5').argParser(positiveNumber),
    )
    .addOption(new Option('--clear', 'take the limits away').conflicts(['concurrency', 'rate']))
    .action(async (queues: string[], { concurrency, rate, clear = false }: LimitFlags, command: Command) => {
      const { limitQueues } = await import('./queue-limits.ts');
      const given = defined({ concurrency, ratePerSecond: rate });
      await context.answer(command, ({ redis }) => limitQueues(redis, queues, given, clear));
    });
  helpSection(limits, 'NOTE', [
    'A limit that is not given is taken away. Those that an AsynqQueue declares are set again by the operator.',
  ]);
  withExamples(
    limits,
    'asynq queue limits webhooks --concurrency 50 --rate 0.5',
    'asynq queue limits webhooks',
  );

  const remove = group
    .command('remove')
    .aliases(['rm', 'delete'])
    .argument('<queue...>', 'names of queues')
    .description('Remove queues that are empty')
    .option('-f, --force', 'remove them with the tasks that are in them')
    .action(async (queues: string[], { force = false }: { force?: boolean }, command: Command) => {
      const { removeQueues } = await import('./queue-changes.ts');
      await context.answer(command, ({ inspector }) => removeQueues(inspector, queues, { force }));
    });
  withExamples(remove, 'asynq queue remove emails', 'asynq queue rm --force emails');
}
