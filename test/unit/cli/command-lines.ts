import type { Command, Option } from 'commander';
import * as fc from 'fast-check';
import { asynqProgram } from '../../../src/cli/asynq.ts';
import { Context } from '../../../src/cli/context.ts';
import { fakeTerminal } from './run.ts';

const program = asynqProgram(new Context({ terminal: fakeTerminal() }));

/** Values that one or another flag takes, and such as hurt. */
const VALUES = ['low', '1', '0', '-1', '1m30s', '2030-01-01T00:00:00Z', 'k=v', '{"n":1}', 'a:1', ''];
const ODD = ['imágenes', '{x}', 'a}b', '}', '__proto__', 'constructor', ' ', '\u0000', '\ud800', '--', '='];
const value = fc.oneof(fc.constantFrom(...VALUES), fc.constantFrom(...ODD), fc.string());

/** Any words at all, those of the CLI among them. */
export const anyWords: fc.Arbitrary<string[]> = fc.array(
  fc.oneof(value, fc.constantFrom(...leaves(program).flatMap(wordsOf))),
  { maxLength: 10 },
);

/** A command with some of its own flags, mostly those that it needs; values are likely and unlikely ones. */
export const commandLine: fc.Arbitrary<string[]> = fc
  .constantFrom(...leaves(program))
  .chain((command) =>
    fc
      .tuple(
        fc.tuple(...command.options.map(flag)),
        fc.array(value, { maxLength: command.registeredArguments.length * 2 }),
      )
      .map(([flags, names]) => [...pathOf(command), ...flags.flat(), ...names]),
  );

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

function wordsOf(command: Command): string[] {
  return [...pathOf(command), ...command.options.flatMap(({ long, short }) => [long ?? '', short ?? ''])];
}

function pathOf(command: Command): string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()];
}

function flag(option: Option): fc.Arbitrary<string[]> {
  const name = option.long ?? '';
  const isNeeded = option.description.endsWith('(required)');
  const choices = option.argChoices ?? [];
  const given = !option.required
    ? fc.constant<string[]>([name])
    : choices.length === 0
      ? value.map((text) => [name, text])
      : fc.constantFrom(...choices).map((text) => [name, text]);
  return fc.oneof(
    { arbitrary: given, weight: isNeeded ? 9 : 1 },
    { arbitrary: fc.constant<string[]>([]), weight: isNeeded ? 1 : 3 },
  );
}
