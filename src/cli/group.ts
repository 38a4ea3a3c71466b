import type { Command } from 'commander';
import { addGroup, requireFlags, withExamples } from './commands.ts';
import type { Context } from './context.ts';

/** `asynq group ...`: to look at the groups in which tasks wait to be made one. */
export function addGroupCommands(program: Command, context: Context): void {
  const group = addGroup(program, 'group', 'Manage groups');

  const list = group
    .command('list')
    .alias('ls')
    .description('List the groups of a queue')
    .option('-q, --queue <name>', 'queue that holds the groups')
    .action(async ({ queue }: { queue: string }, command: Command) => {
      const { listGroups } = await import('./group-list.ts');
      await context.answer(command, ({ inspector }) => listGroups(inspector, queue));
    });
  requireFlags(list, 'queue');
  withExamples(list, 'asynq group list --queue myqueue');
}
