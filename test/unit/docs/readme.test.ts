import { existsSync, globSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Task } from '../../../src/index.ts';
import { validateManifests } from '../../../src/operator/validate.ts';
import { loadHandlers } from '../../../src/server/handler-loader.ts';
import { tempDir } from '../../lab/temp-dir.ts';
import { readmeBlock } from '../../support/readme.ts';

test("the README's manifest is valid", async () => {
  const { notes, faults } = await validateManifests(['-'], async () => readmeBlock('yaml'));

  expect(faults).toEqual([]);
  expect(notes).toEqual([expect.stringMatching(/AsynqQueue default\/imagenes is valid$/)]);
});

test("the README's handler module is one, and handles the task that the README enqueues", async () => {
  await using dir = await tempDir('readme');
  const path = join(dir.path, 'index.mjs');
  await writeFile(path, readmeBlock('js'));
  const { handler: handlers } = await loadHandlers(path);

  const said: unknown[] = [];
  const context = { log: { info: (...line: unknown[]) => said.push(line) } };
  const task = new Task('imágenes:resize', { src: 'alguna/ruta/a/imagen' });
  if (typeof handlers === 'function') throw new Error('expected a mux');
  await handlers.processTask(task, context as never);

  expect(said).toEqual([[{ src: 'alguna/ruta/a/imagen' }, 'resizing']]);
});

test('the README leads to each page and each example, and nowhere else', () => {
  const root = join(import.meta.dirname, '../../..');
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\(([^)#]+)/g)].map(([, target = '']) => target);
  const here = links.filter((target) => !target.startsWith('https://'));

  expect(here.filter((target) => !existsSync(join(root, target)))).toEqual([]);
  const pages = globSync(['docs/*.md', 'examples/*.ts'], { cwd: root });
  expect(pages.filter((page) => !here.includes(page))).toEqual([]);
});
