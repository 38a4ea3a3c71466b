import { type Command, InvalidArgumentError, type Option } from 'commander';
import { goQuote } from '../runtime/go-quote.ts';

/**
 * Arguments as Go's flag parser takes them, in the form that commander takes: `--cluster=false`, `--cluster=true`,
 * `-q=low`. All else stays as it is, also what follows a flag as its value, and what follows `--`.
 *
 * @throws {InvalidArgumentError} of a switch that is neither on nor off
 */
export function goArguments(program: Command, args: readonly string[]): string[] {
  const flags = new Map(flagsOf(program));
  const result: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (arg === '--') return [...result, ...args.slice(i)];
    const [, name = arg, value] = /^(--[^=]+|-[^-=])=(.*)$/s.exec(arg) ?? [];
    const flag = flags.get(name);
    if (flag === undefined) {
      result.push(arg);
    } else if (flag.required) {
      if (value === undefined) result.push(arg, ...args.slice(++i, i + 1));
      else result.push(name, value);
    } else {
      result.push(...switched(flag, name, value, flags));
    }
  }
  return result;
}

function switched(
  flag: Option,
  name: string,
  value: string | undefined,
  flags: ReadonlyMap<string, Option>,
): string[] {
  if (value === undefined) return [name];
  if (/^(true|1|t)$/i.test(value)) return [flag.long ?? name];
  if (!/^(false|0|f)$/i.test(value)) {
    throw new InvalidArgumentError(`${name}: expected true or false, got ${goQuote(value)}`);
  }
  const off = `--no-${flag.name()}`;
  return flags.has(off) ? [off] : [];
}

function flagsOf(command: Command): [string, Option][] {
  const own = command.options.flatMap((option) =>
    [option.long, option.short]
      .filter((name) => name !== undefined)
      .map((name): [string, Option] => [name, option]),
  );
  return [...own, ...command.commands.flatMap(flagsOf)];
}
