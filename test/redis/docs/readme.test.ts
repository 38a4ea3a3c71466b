import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { Client, Task } from '../../../src/index.ts';
import { tempDir } from '../../lab/temp-dir.ts';
import { DevProcess } from '../../support/dev-process.ts';
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
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout });
  const said = await new Promise((resolve) => lines.once('line', resolve));
  expect(said).toBe('alguna/ruta/a/imagen');

  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
});

test("the README's manifest runs on a laptop, with the handlers beside it", async () => {
  await using dir = await tempDir('readme');
  const { addrs, password } = testCluster();
  const queue = uniqueQueue('imágenes');
  const manifest = join(dir.path, 'queue.yaml');
  await writeFile(manifest, readmeBlock('yaml').replace('queue: imágenes', `queue: ${queue}`));
  await writeFile(join(dir.path, 'index.mjs'), readmeBlock('js'));
  await using client = new Client(testCluster());
  await client.enqueue(new Task('imágenes:resize', { src: 'alguna/ruta' }), { queue });

  const args = [manifest, '--redis-addrs', addrs.join(',')];
  await using operator = new DevProcess(args, { ASYNQ_REDIS_PASSWORD: password });
  const resized = () => operator.output.filter((line) => line.includes('"src":"alguna/ruta"'));
  await operator.until(() => resized().length > 0, 'the task to be handled');
  expect(resized()).toEqual([expect.stringContaining('"msg":"resizing"')]);
});
