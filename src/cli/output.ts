import { errorText } from '../runtime/errors.ts';

export const OUTPUT_FORMATS = ['table', 'json', 'yaml'] as const;

export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export type Bold = (text: string) => string;

/** What a command found or did, and what it could not: the rest is still worth printing. */
export interface Findings {
  /**
   * For programs. Fields are named as the library names them, none is left out: what is not known is null. Times are
   * ISO 8601 in UTC.
   */
  readonly data: unknown;
  /** For people; made only when asked for. */
  readonly text: (bold: Bold) => string;
  readonly failures?: readonly string[];
  /** @default 1 with failures, else 0 */
  readonly exitCode?: number;
}

/** The answer in the format asked for, ending in a line break unless empty; JSON on one line, for `jq` and for logs. */
export async function renderAnswer(
  { data, text }: Findings,
  format: OutputFormat,
  bold: Bold,
): Promise<string> {
  if (format === 'table') return text(bold);
  if (format === 'json') return `${JSON.stringify(plain(data))}\n`;
  const { stringify } = await import('yaml');
  return stringify(plain(data), { lineWidth: 0 });
}

function plain(value: unknown): unknown {
  if (value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]));
}

/** Does the same for each name in turn; one that fails does not keep the others from it. */
export async function forEachName<T>(
  names: readonly string[],
  work: (name: string) => Promise<T>,
  failureOf: (error: unknown, name: string) => string = errorText,
): Promise<{ readonly done: T[]; readonly failures: string[] }> {
  const done: T[] = [];
  const failures: string[] = [];
  for (const name of names) {
    try {
      done.push(await work(name));
    } catch (error) {
      failures.push(failureOf(error, name));
    }
  }
  return { done, failures };
}
