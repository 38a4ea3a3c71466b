import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly output: 'text' | 'json';
  /** Measurements of each side per case, taken in turn. */
  readonly pairs: number;
  /** Tasks per measurement at most; undefined: what suits the case. */
  readonly tasks: number | undefined;
}

/** The options of `npm run bench -- ...`. */
export function benchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      output: { type: 'string', default: 'text' },
      pairs: { type: 'string', default: '7' },
      tasks: { type: 'string' },
    },
  });
  const { output, pairs, tasks } = values;
  if (output !== 'text' && output !== 'json')
    throw new Error(`--output: expected text or json, got ${output}`);
  return {
    output,
    pairs: wholeNumber('--pairs', pairs),
    tasks: tasks === undefined ? undefined : wholeNumber('--tasks', tasks),
  };
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new Error(`${option}: expected a whole number from 1, got ${text}`);
  }
  return value;
}
