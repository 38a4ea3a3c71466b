import type { Command } from 'commander';
import { addGroup } from './commands.ts';
import type { Shell } from './completion-scripts.ts';
import type { Context } from './context.ts';

/** Shells, and how each is told for good. */
const SHELLS: Readonly<Record<Shell, string>> = {
  bash: 'echo "source <(asynq completion bash)" >> ~/.bashrc',
  zsh: 'asynq completion zsh > "${fpath[1]}/_asynq"',
  fish: 'asynq completion fish > ~/.config/fish/completions/asynq.fish',
};

/**
 * `asynq completion SHELL` prints a script for the shell. The scripts know no command: they ask `asynq __complete`, which
 * reads what may come next from the commands themselves.
 */
export function addCompletionCommands(program: Command, { terminal }: Context): void {
  const group = addGroup(program, 'completion', 'Let a shell complete commands and flags');
  for (const shell of Object.keys(SHELLS) as Shell[]) {
    group
      .command(shell)
      .description(`Print the script for ${shell}`)
      .addHelpText('after', `\nFor all shells to come:\n  ${SHELLS[shell]}`)
      .action(async () => {
        const { SCRIPTS } = await import('./completion-scripts.ts');
        terminal.out(SCRIPTS[shell]);
      });
  }
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      const { completionLines } = await import('./complete.ts');
      terminal.out(completionLines(program, words));
    });
}
