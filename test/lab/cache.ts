import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/until.ts';
import { isAlive, sweepDead } from './sweep.ts';

/** Another process may be building Kubernetes meanwhile: about 10 min on two cores, more on a busy machine. */
const BUILD_DEADLINE_MS = 45 * 60_000;

/** Where the lab keeps what it unpacked or built, outside the clone, so that every clone finds it again. */
export function cacheRoot(): string {
  return process.env['ASYNQ_LAB'] ?? join(homedir(), '.cache', 'asynq-lab');
}

/**
 * The cache's folder `name`, filled once by `fill`. The name carries the version of what is inside: another version is
 * another folder.
 *
 * Filled beside its place and renamed when complete, so that a folder that is there is whole; processes that want the
 * same one wait for the one that fills it, and take over when that one died.
 */
export async function cachedFolder(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheRoot(), name);
  if (existsSync(folder)) return folder;
  await mkdir(cacheRoot(), { recursive: true });
  const unlock = await lock(`${folder}.lock`);
  try {
    if (existsSync(folder)) return folder;
    await sweepDead(cacheRoot(), /^half-(\d+)-/);
    const half = join(cacheRoot(), `half-${process.pid}-${name}`);
    await mkdir(half, { recursive: true });
    try {
      await fill(half);
      await rename(half, folder);
    } finally {
      await rm(half, { recursive: true, force: true });
    }
    return folder;
  } finally {
    await unlock();
  }
}

/** Takes the lock file, which holds its owner's pid; a lock whose owner is gone is broken. */
async function lock(path: string): Promise<() => Promise<void>> {
  await until(
    async () => {
      try {
        await writeFile(path, String(process.pid), { flag: 'wx' });
        return true;
      } catch {
        const owner = Number(await readFile(path, 'utf8').catch(() => ''));
        if (owner > 0 && !isAlive(owner)) await rm(path, { force: true });
        return false;
      }
    },
    { timeout: BUILD_DEADLINE_MS, interval: 200, what: `the lock ${path}` },
  );
  return () => rm(path, { force: true });
}
