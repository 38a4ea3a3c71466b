import { type Command, Option } from 'commander';
import { suggestions } from './suggestions.ts';

/** A command that only holds others: alone it prints its help, and a name that is none of theirs is looked up. */
export function addGroup(parent: Command, name: string, description: string): Command {
  return holdsCommands(parent.command(name).description(description));
}

/** Makes `group` answer for names that no command of it has, as Go's CLI does, but with exit code 1. */
export function holdsCommands(group: Command): Command {
  return group
    .usage('<command> [flags]')
    .argument('[command...]')
    .allowUnknownOption()
    .action(([name]: string[]) => {
      if (name === undefined) group.outputHelp();
      else unknownCommand(group, name);
    });
}

/** `asynq help queue list`, which Go's CLI knows and lists nowhere. */
export function addHelpCommand(program: Command): void {
  program
    .command('help', { hidden: true })
    .argument('[command...]')
    .action((names: string[]) => {
      let command = program;
      for (const name of names) command = commandNamed(command, name) ?? unknownCommand(command, name);
      command.outputHelp();
    });
}

/** By name or alias, hidden ones too. */
export function commandNamed(group: Command, name: string): Command | undefined {
  return group.commands.find((command) => command.name() === name || command.aliases().includes(name));
}

function unknownCommand(group: Command, name: string): never {
  if (name.startsWith('-')) group.error(`error: unknown flag: ${name}`);
  const meant = suggestions(name, namesOf(group));
  const hint =
    meant.length === 0 ? '' : `\n\nDid you mean this?\n${meant.map((one) => `\t${one}\n`).join('')}`;
  return group.error(`error: unknown command "${name}" for "${pathOf(group)}"${hint}`);
}

/** `asynq queue` for the group of that name. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** The commands that a user may name, aliases too. */
function namesOf(group: Command): string[] {
  return group
    .createHelp()
    .visibleCommands(group)
    .flatMap((command) => [command.name(), ...command.aliases()]);
}

/** Lets the command refuse to run without these flags; in Go's words, which name all that are missing. */
export function requireFlags(command: Command, ...names: readonly string[]): Command {
  for (const option of command.options) {
    if (names.includes(option.attributeName())) option.description += ' (required)';
  }
  return command.hook('preAction', () => {
    const missing = names.filter((name) => command.getOptionValue(name) === undefined);
    if (missing.length === 0) return;
    const quoted = missing.toSorted().map((name) => `"${name}"`);
    command.error(`error: required flag(s) ${quoted.join(', ')} not set`);
  });
}

/** A flag whose values are known; `help` and completion tell them, and the command says what it does not know. */
export function choiceFlag(flags: string, help: string, choices: readonly string[]): Option {
  const option = new Option(flags, help);
  option.argChoices = [...choices];
  return option;
}

/** Examples at the end of the help page. */
export function withExamples(command: Command, ...lines: readonly string[]): Command {
  return helpSection(
    command,
    'EXAMPLES',
    lines.map((line) => `$ ${line}`),
  );
}

/** A section at the end of the help page; `scope` 'afterAll': also of the commands below. */
export function helpSection(
  command: Command,
  title: string,
  lines: readonly string[],
  scope: 'after' | 'afterAll' = 'after',
): Command {
  return command.addHelpText(scope, ({ command: shown }) => {
    const heading = shown.createHelp().styleTitle(title);
    return `\n${heading}\n${lines.map((line) => `  ${line}`).join('\n')}`;
  });
}
