import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { errorText } from '../runtime/errors.ts';

/** Where this package lies. */
const OURS = new URL('..', import.meta.url).href;

/** How long Node may take to say where a module does not parse. */
const CHECK_MS = 5_000;

/**
 * Why a module did not load, in one line with the place as far as it can be known: `TypeError: x is not a function at
 * /app/index.mjs:12:3`. Of a syntax error Node keeps the place to itself, so it is asked again; a module that the checked
 * one imports stays unnamed.
 */
export async function moduleFault(path: string, error: unknown): Promise<string> {
  const name = error instanceof Error ? `${error.name}: ` : '';
  const text = `${name}${errorText(error)}`.replaceAll(/\s+/g, ' ').trim();
  const place =
    placeIn(stackOf(error)) ?? (error instanceof SyntaxError ? await placeOfSyntax(path) : undefined);
  return place === undefined || text.includes(place) ? text : `${text} at ${place}`;
}

function stackOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack) : '';
  } catch {
    return '';
  }
}

/** The line above the stack, as loaders write it, or the first frame that is neither Node's nor ours. */
function placeIn(stack: string): string | undefined {
  const [first = '', ...frames] = stack.split('\n');
  const above = /^(?:file:\/\/)?\/.*:\d+$/.exec(first)?.[0];
  const frame = frames
    .map((line) => /(?:\(|at (?:async )?)((?:file:\/\/)?\/[^()]*:\d+:\d+)\)?$/.exec(line)?.[1])
    .find((place) => place !== undefined && !place.startsWith(OURS));
  const place = above ?? frame;
  return place?.startsWith('file:') ? fileURLToPath(place) : place;
}

function placeOfSyntax(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--check', path], { timeout: CHECK_MS }, (_error, _stdout, stderr) =>
      resolve(/^\/.*:\d+$/m.exec(stderr)?.[0]),
    );
  });
}
