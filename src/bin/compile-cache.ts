import { mkdirSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Keeps compiled code in a folder of the user's own, for this process and for the workers that it starts: a worker then
 * starts with less than half of the CPU time, which is what counts when ten start at once on a laptop. (Node's default, a
 * folder in /tmp, is anybody's to fill.)
 *
 * The environment for workers; empty when there is no such folder, and then they only start slower.
 */
export function keepCompiledCode(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  if (env['NODE_COMPILE_CACHE'] !== undefined) return {};
  const folder = join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'asynq-operator', 'compiled');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch {
    return {};
  }
  return enableCompileCache(folder).directory === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

/** Compiles what a worker will need, and writes down what this process has compiled so far. */
export async function compileWorker(): Promise<void> {
  await import('./worker.ts');
  flushCompileCache();
}
