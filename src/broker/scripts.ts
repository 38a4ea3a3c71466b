import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Script } from '../redis/router.ts';

const INCLUDE = /^-- include: (.+)$/gm;

/**
 * Reads `scripts/<name>.lua` and takes its digest: the only way Lua comes into this program. Called while a module loads,
 * once per script, so that a missing file fails the start and not a task. A line `-- include: FILE` stands for that file
 * of the same folder.
 */
export function loadScript(name: string): Script {
  const lua = luaOf(`${name}.lua`);
  return { name, lua, sha: createHash('sha1').update(lua).digest('hex') };
}

function luaOf(file: string): string {
  const text = readFileSync(new URL(`./scripts/${file}`, import.meta.url), 'utf8');
  return text.replace(INCLUDE, (_line, included: string) => luaOf(included));
}
