import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Inspector } from '../../../src/index.ts';
import { readPeriodicTasks } from '../../../src/tasks/periodic-file.ts';
import { tempDir } from '../../lab/temp-dir.ts';
import { markdownBlock } from '../../support/readme.ts';
import { testCluster, uniqueQueue } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const FROM_SOURCE = new URL('../../support/from-source.mjs', import.meta.url).href;
const PAGE = 'docs/scheduler.md';

test('the program of the page enqueues its task, and leaves on SIGTERM', async () => {
  await using dir = await tempDir('scheduler');
  const { addrs, password } = testCluster();
  const queue = uniqueQueue('reports');
  const program = markdownBlock(PAGE, 'ts')
    .replace("{ addrs: ['127.0.0.1:7000'] }", JSON.stringify({ addrs, password }))
    .replace("{ queue: 'reports' }", JSON.stringify({ queue }))
    .replace('0 6 * * MON-FRI', '@every 1s');
  const path = join(dir.path, 'scheduler.ts');
  await writeFile(path, program);
  const child = spawn(process.execPath, ['--import', FROM_SOURCE, path], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await using inspector = new Inspector(testCluster());
  const task = await until(async () => (await inspector.listPendingTasks(queue))[0]);
  expect(task.payload.getString('team')).toBe('sales');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('the file of the page can be read', () => {
  const tasks = readPeriodicTasks(markdownBlock(PAGE, 'yaml'), PAGE);
  expect(tasks.map(({ task }) => task.type)).toEqual(['report:daily', 'tick']);
});

test('the page names every field of a file', () => {
  const page = readFileSync(new URL(`../../../${PAGE}`, import.meta.url), 'utf8');
  const wrong = () => readPeriodicTasks('tasks: [{ nope: 1 }]', 'f');
  const fields = /expected one of spec, type, payload, (.*)/.exec(messageOf(wrong))?.[1]?.split(', ') ?? [];
  expect(fields.filter((field) => !page.includes(`\`${field}\``))).toEqual([]);
  expect(fields.length).toBeGreaterThan(5);
});

function messageOf(work: () => unknown): string {
  try {
    work();
    return '';
  } catch (error) {
    return String(error);
  }
}
