import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

test('the pages that the help of a command names are in the package and in the image', () => {
  const named = new Set(read('src/bin/asynq-operator.ts').match(/docs\/[\w-]+\.md/g));
  expect(named).toEqual(new Set(['docs/scheduler.md', 'docs/worker.md']));
  for (const page of named) expect(read(page)).toMatch(/^# /);

  const { files } = JSON.parse(read('package.json')) as { readonly files: readonly string[] };
  expect(files).toContain('docs');
  expect(read('Dockerfile')).toMatch(/^COPY docs docs$/m);
  expect(read('.dockerignore').split('\n')).toContain('!docs');
});
