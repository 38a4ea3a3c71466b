import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cachedFolder } from '../../lab/cache.ts';
import { type TempDir, tempDir } from '../../lab/temp-dir.ts';

/** No process has it: pids end far below. */
const DEAD_PID = 2 ** 30;

describe('cachedFolder', () => {
  let root: TempDir;
  beforeEach(async () => {
    root = await tempDir('cache');
    vi.stubEnv('ASYNQ_LAB', root.path);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await root.remove();
  });

  it('is filled once, also when many want it at the same time', async () => {
    const fill = vi.fn<(folder: string) => Promise<void>>((folder) =>
      writeFile(join(folder, 'tool'), 'built'),
    );
    const folders = await Promise.all(Array.from({ length: 5 }, () => cachedFolder('tool-1', fill)));
    expect(fill).toHaveBeenCalledTimes(1);
    expect(new Set(folders).size).toBe(1);
    expect(await readFile(join(root.path, 'tool-1', 'tool'), 'utf8')).toBe('built');
  });

  it('leaves nothing of a fill that failed, and tries again', async () => {
    const failing = cachedFolder('tool-1', async (folder) => {
      await writeFile(join(folder, 'half'), '');
      throw new Error('no network');
    });
    await expect(failing).rejects.toThrow('no network');
    expect(await readdir(root.path)).toEqual([]);
    await cachedFolder('tool-1', async (folder) => writeFile(join(folder, 'tool'), ''));
    expect(existsSync(join(root.path, 'tool-1', 'tool'))).toBe(true);
  });

  it('takes over from a process that died while it filled', async () => {
    await writeFile(join(root.path, 'tool-1.lock'), String(DEAD_PID));
    await writeFile(join(root.path, `half-${DEAD_PID}-tool-1`), '');
    await cachedFolder('tool-1', async (folder) => writeFile(join(folder, 'tool'), ''));
    expect(await readdir(root.path)).toEqual(['tool-1']);
  });
});
