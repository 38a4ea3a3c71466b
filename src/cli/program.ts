import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { errorText } from '../runtime/errors.ts';
import { displayWidth, visible } from './table.ts';
import { bold, type Terminal } from './terminal.ts';

/** Headings of help pages, as Go's CLI (cobra, in GitHub's style) words them. */
const HEADINGS: Readonly<Record<string, string>> = {
  'Usage:': 'USAGE',
  'Arguments:': 'ARGUMENTS',
  'Options:': 'FLAGS',
  'Global Options:': 'INHERITED FLAGS',
  'Commands:': 'COMMANDS',
};

/** What a shell says of a process that Ctrl-C has ended. */
export const INTERRUPTED = 130;

/** An empty program that speaks to `terminal` only and never ends the process; give it commands and `runProgram`. */
export function createProgram(name: string, description: string, terminal: Terminal): Command {
  return new Command(name)
    .description(description)
    .version(`${name} version ${packageVersion()}`, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .configureHelp({
      showGlobalOptions: true,
      subcommandTerm: (command) => [command.name(), ...command.aliases()].join(', '),
      styleTitle: (title) => bold(terminal, HEADINGS[title] ?? title),
      displayWidth,
    })
    .showHelpAfterError('Add --help to see what is possible.');
}

/** Runs the command that `args` returns; its exit code. Errors, also those of `args`, go to stderr as `error: ...`. */
export async function runProgram(
  program: Command,
  args: () => readonly string[],
  terminal: Terminal,
): Promise<number> {
  try {
    await program.parseAsync(args(), { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof ExitCode) return error.code;
    if (error instanceof CommanderError && !(error instanceof InvalidArgumentError)) return error.exitCode;
    for (const line of errorText(error).split('\n')) terminal.err(`error: ${visible(line)}\n`);
    return 1;
  }
}

/** Thrown by a command that has said all there is to say and has failed. */
export class ExitCode extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit code ${code}`);
    this.code = code;
  }
}

/** As package.json has it. */
export function packageVersion(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}
