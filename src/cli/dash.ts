import { type Command, InvalidArgumentError } from 'commander';
import { withExamples } from './commands.ts';
import type { Context } from './context.ts';
import { durationSeconds } from './flag-values.ts';
import { ExitCode, INTERRUPTED } from './program.ts';

const DEFAULT_REFRESH_SECONDS = 8;
const LEAST_REFRESH_SECONDS = 1;

/** `asynq dash`: queues and tasks on the whole terminal, read-only. */
export function addDashCommand(program: Command, context: Context): void {
  const dash = program
    .command('dash')
    .description('Look at queues and tasks on a screen that follows them')
    .option('--refresh <duration>', 'time between two looks, 1s or more (default 8s)', refreshSeconds)
    .action(async ({ refresh = DEFAULT_REFRESH_SECONDS }: { refresh?: number }, command: Command) => {
      const { terminal, clock } = context;
      const { tty, env } = terminal;
      if (tty === undefined) throw new Error('expected a terminal as stdin and stdout: see asynq stats');
      if (env['TERM'] === 'dumb') throw new Error('expected a terminal with a cursor, got TERM=dumb');
      const { runDash } = await import('./dash/dash.ts');
      await context.connect(command, async ({ inspector }) => {
        using interruptible = terminal.interruptible();
        const { signal } = interruptible;
        const isColoured = (env['NO_COLOR'] ?? '') === '';
        await runDash({ tty, inspector, clock, refreshMs: refresh * 1000, isColoured }, signal);
        if (signal.aborted) throw new ExitCode(INTERRUPTED);
      });
    });
  withExamples(dash, 'asynq dash', 'asynq dash --refresh 3s');
}

function refreshSeconds(text: string): number {
  const seconds = durationSeconds(text);
  if (seconds < LEAST_REFRESH_SECONDS) throw new InvalidArgumentError('--refresh cannot be less than 1s');
  return seconds;
}
