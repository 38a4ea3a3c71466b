import { type Command, Option } from 'commander';
import { addGroup, withExamples } from './commands.ts';
import type { Context } from './context.ts';
import { positiveInteger } from './flag-values.ts';

/** `asynq cron ...`: to look at the periodic tasks of running schedulers. */
export function addCronCommands(program: Command, context: Context): void {
  const group = addGroup(program, 'cron', 'Manage cron');

  const list = group
    .command('list')
    .alias('ls')
    .description('List the entries of running schedulers')
    .action(async (_, command: Command) => {
      const { listEntries } = await import('./cron-list.ts');
      await context.answer(command, ({ inspector }) => listEntries(inspector, context.clock));
    });
  withExamples(list, 'asynq cron list');

  const history = group
    .command('history')
    .argument('<entry...>', 'ids of entries')
    .description('Show which tasks entries have enqueued, the newest first')
    .addOption(new Option('--page <number>', 'which page').argParser(positiveInteger).default(1))
    .addOption(new Option('--size <number>', 'tasks on a page').argParser(positiveInteger).default(30))
    .action(async (ids: string[], { page, size }: { page: number; size: number }, command: Command) => {
      const { showEntryHistory } = await import('./cron-history.ts');
      await context.answer(command, ({ inspector }) =>
        showEntryHistory(inspector, ids, { page, pageSize: size }),
      );
    });
  withExamples(history, 'asynq cron history 7837f142-6337-4217-9276-8f27281b67d1 --page 2');
}
