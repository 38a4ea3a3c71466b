import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { tempDir } from '../../lab/temp-dir.ts';
import { readmeBlock } from '../../support/readme.ts';
import { testCluster, uniqueQueue } from '../../support/redis.ts';

const FROM_SOURCE = new URL('../../support/from-source.mjs', import.meta.url).href;

test("the README's program enqueues a task, handles it, and leaves on SIGTERM", async () => {
  await using dir = await tempDir('readme');
  const { addrs, password } = testCluster();
  const queue = uniqueQueue('imágenes');
  const program = readmeBlock('ts')
    .replace("{ addrs: ['127.0.0.1:7000'] }", JSON.stringify({ addrs, password }))
    .replace("{ queue: 'imágenes' }", JSON.stringify({ queue }))
    .replace('{ imágenes: 1 }', JSON.stringify({ [queue]: 1 }));
  const path = join(dir.path, 'readme.ts');
  await writeFile(path, program);

  const child = spawn(process.execPath, ['--import', FROM_SOURCE, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout });
  const said = await new Promise((resolve) => lines.once('line', resolve));
  expect(said).toBe('alguna/ruta/a/imagen');

  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
});
