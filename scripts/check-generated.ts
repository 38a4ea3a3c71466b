import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { toolIn } from './run-step.ts';

const NOT_SOURCE = new Set(['node_modules', 'dist', 'coverage', '.git']);

/** Runs the generators in a copy of the tree: what they change there is out of date here. */
export async function checkGenerated(): Promise<void> {
  const copy = mkdtempSync(join(tmpdir(), 'asynq-generated-'));
  try {
    cpSync('.', copy, { recursive: true, filter: (path) => !NOT_SOURCE.has(path) });
    symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
    const before = contents(copy);
    await toolIn(copy, 'node', 'scripts/generate.ts');
    const stale = [...contents(copy)]
      .filter(([path, text]) => before.get(path) !== text)
      .map(([path]) => path);
    if (stale.length > 0)
      throw new Error(`out of date: ${stale.join(', ')}; npm run generate writes them anew`);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** Path -> content of each source file below `root`. */
function contents(root: string): Map<string, string> {
  const entries = globSync('**/*', {
    cwd: root,
    withFileTypes: true,
    exclude: (entry) => NOT_SOURCE.has(entry.name),
  });
  return new Map(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(root, path), readFileSync(path, 'latin1')]),
  );
}
