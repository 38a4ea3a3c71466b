import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MountedFiles } from '../../../../src/operator/ends/mounted-files.ts';

let mounted: MountedFiles;

beforeEach(() => {
  mounted = new MountedFiles();
});

afterEach(() => mounted.remove());

it('gives one folder to all that ask for the same files at once', async () => {
  const files = () => ({ 'index.mjs': 'export default {}' });
  const folders = await Promise.all([mounted.mount('code', files()), mounted.mount('code', files())]);
  expect(new Set(folders).size).toBe(1);
  expect(await mounted.mount('code', files())).toBe(folders[0]);
  expect(await readFile(join(folders[0], 'index.mjs'), 'utf8')).toBe('export default {}');
});

it('gives another folder when the files have changed, and leaves the old one', async () => {
  const before = await mounted.mount('code', { a: '1' });
  const after = await mounted.mount('code', { a: '2' });
  expect(after).not.toBe(before);
  expect(await readFile(join(before, 'a'), 'utf8')).toBe('1');
});

it('mounts when there is room again', async () => {
  vi.stubEnv('TMPDIR', '/nowhere');
  await expect(mounted.mount('code', { a: '1' })).rejects.toThrow(/ENOENT/);
  vi.unstubAllEnvs();
  expect(await readFile(join(await mounted.mount('code', { a: '1' }), 'a'), 'utf8')).toBe('1');
});

it('leaves nothing behind, and harms nobody when there is nothing', async () => {
  const folder = await mounted.mount('code', { a: '1' });
  await mounted.remove();
  await expect(stat(folder)).rejects.toThrow(/ENOENT/);
  await mounted.remove();
});
