import type { Command } from 'commander';
import { addGroup, withExamples } from './commands.ts';
import type { Context } from './context.ts';

/** `asynq server ...`: to look at running servers. */
export function addServerCommands(program: Command, context: Context): void {
  const group = addGroup(program, 'server', 'Manage servers');

  const list = group
    .command('list')
    .alias('ls')
    .description('List running servers; with --output json or yaml, also what they work on')
    .action(async (_, command: Command) => {
      const { listServers } = await import('./server-list.ts');
      await context.answer(command, ({ inspector }) => listServers(inspector, context.clock));
    });
  withExamples(list, 'asynq server list');
}
