import type { Command } from 'commander';
import { withExamples } from './commands.ts';
import type { Context } from './context.ts';

/** `asynq stats`: all queues and Redis at a glance. */
export function addStatsCommands(program: Command, context: Context): void {
  const stats = program
    .command('stats')
    .description('Show how many tasks there are in each state and queue, and how Redis is')
    .option('--json', "print JSON as Go's CLI does; --output json has the names of all other commands")
    .action(async ({ json = false }: { json?: boolean }, command: Command) => {
      const { readStats } = await import('./stats-read.ts');
      const { goStats, statsFindings } = await import('./stats-report.ts');
      const found = await context.connect(command, (session) => readStats(session, context.clock));
      if (json) context.terminal.out(`${JSON.stringify(goStats(found))}\n`);
      else await context.print(command, statsFindings(found));
    });
  withExamples(stats, 'asynq stats', 'watch -n 3 asynq stats');
}
