import type { Command, Option } from 'commander';

/**
 * Arguments as Go's flag parser takes them, in the form that commander takes: `--cluster=false`, `--cluster=true`,
 * `-q=low`. All else stays as it is, also what follows a flag as its value, and what follows `--`.
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
      result.push(...switched(flag, arg, value, flags));
    }
  }
  return result;
}

function switched(
  flag: Option,
  arg: string,
  value: string | undefined,
  flags: ReadonlyMap<string, Option>,
): string[] {
  if (value === undefined || !/^(true|false|1|0|t|f)$/i.test(value)) return [arg];
  if (/^(true|1|t)$/i.test(value)) return [flag.long ?? arg];
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
