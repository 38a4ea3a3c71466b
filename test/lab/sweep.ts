import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Removes what processes that are no more left in `folder`: entries whose name matches `pattern`, whose first group is
 * the pid of the owner. (A pid that was given out again only keeps an entry for one more round.)
 */
export async function sweepDead(folder: string, pattern: RegExp): Promise<void> {
  for (const entry of await readdir(folder)) {
    const owner = pattern.exec(entry)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    await rm(join(folder, entry), { recursive: true, force: true });
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
