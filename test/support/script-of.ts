import { createHash } from 'node:crypto';
import type { Script } from '../../src/redis/router.ts';

/** A script that only a test knows. */
export function scriptOf(lua: string, name = 'of a test'): Script {
  return { name, lua, sha: createHash('sha1').update(lua).digest('hex') };
}
