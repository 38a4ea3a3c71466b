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
      const { statsFindings } = await import('./stats-report.ts');
      await context.answer(command, async (session) =>
        statsFindings(await readStats(session, context.clock), { asGo: json }),
      );
    });
  withExamples(stats, 'asynq stats', 'watch -n 3 asynq stats');
}
