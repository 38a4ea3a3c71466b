import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Script } from '../redis/router.ts';

/**
 * Reads `scripts/<name>.lua` and takes its digest: the only way Lua comes into this program. Called while a module loads,
 * once per script, so that a missing file fails the start and not a task.
 */
export function loadScript(name: string): Script {
  const lua = readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
  return { name, lua, sha: createHash('sha1').update(lua).digest('hex') };
}
