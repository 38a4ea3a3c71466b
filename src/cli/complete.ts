import type { Command, Option } from 'commander';
import { commandNamed } from './commands.ts';

/** A word that may come next, and what it is. */
interface Candidate {
  readonly word: string;
  readonly help: string;
}

/** Where the cursor is: what may be named there. */
interface Place {
  readonly command: Command;
  /** Its value is being typed. */
  readonly valueOf: Option | undefined;
  readonly isAfterDashes: boolean;
}

const FILES = ':files\n';

/** What may stand for the last of `words`, a line each, as the scripts of the shells take it. Pure. */
export function completionLines(program: Command, words: readonly string[]): string {
  const { before, current, prefix } = splitWords(words);
  const place = walk(program, before);
  if (place.valueOf !== undefined && place.valueOf.argChoices === undefined) {
    return /<file>/.test(place.valueOf.flags) ? FILES : '';
  }
  return candidates(place, current)
    .filter(({ word }) => word.startsWith(current))
    .map(({ word, help }) => `${prefix}${word}\t${help}\n`)
    .join('');
}

/**
 * The words before the cursor and the one at it. `--flag=val` is a flag and the beginning of its value, which keeps the
 * flag as its prefix; bash takes it apart itself, and gives the `=` as a word of its own.
 */
function splitWords(words: readonly string[]): {
  readonly before: readonly string[];
  readonly current: string;
  readonly prefix: string;
} {
  const last = words.at(-1) ?? '';
  const before = words.slice(0, -1).filter((word) => word !== '=');
  if (last === '=') return { before, current: '', prefix: '' };
  const [, flag, value = ''] = /^(--[^=]+)=(.*)$/s.exec(last) ?? [];
  if (flag === undefined) return { before, current: last, prefix: '' };
  return { before: [...before, flag], current: value, prefix: `${flag}=` };
}

function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let valueOf: Option | undefined;
  for (const word of words) {
    if (valueOf !== undefined) valueOf = undefined;
    else if (word === '--') return { command, valueOf, isAfterDashes: true };
    else if (word.startsWith('-')) valueOf = flagNamed(command, word);
    else command = commandNamed(command, word) ?? command;
  }
  return { command, valueOf, isAfterDashes: false };
}

/** The flag, if its value is the next word. */
function flagNamed(command: Command, word: string): Option | undefined {
  return flagsOf(command).find((flag) => flag.required && (flag.long === word || flag.short === word));
}

/** A command's own flags, then those that it inherits. */
function flagsOf(command: Command): Option[] {
  const help = command.createHelp();
  return [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
}

function candidates({ command, valueOf, isAfterDashes }: Place, current: string): Candidate[] {
  if (valueOf !== undefined)
    return (valueOf.argChoices ?? []).map((word) => ({ word, help: valueOf.description }));
  if (isAfterDashes) return [];
  if (current.startsWith('-')) {
    return flagsOf(command).map(({ long, short, description }) => ({
      word: long ?? short ?? '',
      help: description,
    }));
  }
  return command
    .createHelp()
    .visibleCommands(command)
    .map((one) => ({ word: one.name(), help: one.description() }));
}
