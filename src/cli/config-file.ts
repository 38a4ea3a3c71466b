import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AsynqError, errorText } from '../runtime/errors.ts';
import type { Terminal } from './terminal.ts';

/** Settings from a file, as text, under the names of the flags. */
export interface ConfigFile {
  readonly path: string;
  readonly values: Readonly<Record<string, string>>;
}

/** In the order in which Go's CLI looks for them. */
const KINDS = ['json', 'yaml', 'yml'] as const;
/** Kinds that Go's CLI reads and this one does not: to look past one would be to connect to another Redis. */
const OTHER_KINDS = ['toml', 'properties', 'ini', 'env', 'hcl'] as const;

/**
 * The config file: the one that was named, else `$HOME/.asynq.json`, `.yaml` or `.yml`, else none. Keys are the long
 * flags (case does not count); a list means its entries with commas between them.
 *
 * @throws ASYNQ_CONFIG_INVALID for a named file that cannot be read, and for any that holds something else
 */
export async function readConfigFile(
  named: string | undefined,
  env: Terminal['env'],
  keys: readonly string[],
): Promise<ConfigFile | undefined> {
  if (named !== undefined) {
    const text = await read(named);
    if (text === undefined) throw invalid(named, 'there is no such file');
    return parsed(named, text, keys);
  }
  const home = env['HOME'] ?? env['USERPROFILE'] ?? '';
  if (home === '') return undefined;
  for (const kind of KINDS) {
    const path = join(home, `.asynq.${kind}`);
    const text = await read(path);
    if (text !== undefined) return parsed(path, text, keys);
  }
  for (const kind of OTHER_KINDS) {
    const path = join(home, `.asynq.${kind}`);
    if ((await read(path)) !== undefined) throw invalid(path, 'expected YAML or JSON: name it .asynq.yaml');
  }
  return undefined;
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw invalid(path, `it cannot be read: ${errorText(error)}`);
  }
}

/** JSON is YAML, too. Without a schema all scalars are text as it was written, be it the password 0123. */
async function parsed(path: string, text: string, keys: readonly string[]): Promise<ConfigFile> {
  const { parse } = await import('yaml');
  let content: unknown;
  try {
    content = parse(text, { schema: 'failsafe', logLevel: 'error' }) ?? {};
  } catch (error) {
    // The lines below the first one, which a colon announces, show what is in the file.
    throw invalid(path, errorText(error).split('\n', 1).join('').replace(/:$/, ''));
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw invalid(path, 'expected a mapping of settings');
  }
  const entries = Object.entries(content).map(([key, value]) => {
    const name = key.toLowerCase();
    if (!keys.includes(name)) throw invalid(path, `unknown key "${key}", expected ${keys.join(', ')}`);
    return [name, scalar(path, name, value)] as const;
  });
  return { path, values: Object.fromEntries(entries) };
}

function scalar(path: string, key: string, value: unknown): string {
  if (typeof value === 'string') return value === '~' || value === 'null' ? '' : value;
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value.join(',');
  throw invalid(path, `${key}: expected a single value or a list`);
}

function invalid(path: string, what: string): AsynqError {
  return new AsynqError('ASYNQ_CONFIG_INVALID', `config file ${path}: ${what}`);
}
