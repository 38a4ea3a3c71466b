import { execFile } from 'node:child_process';
import { delimiter, dirname, resolve } from 'node:path';
import { expect, it } from 'vitest';

it('a filter that matches no test fails, and says so', { timeout: 60_000 }, async () => {
  const PATH = [resolve('node_modules/.bin'), dirname(process.execPath), process.env['PATH']].join(delimiter);
  const [code, stdout] = await new Promise<[unknown, string]>((done) => {
    const args = ['scripts/test.ts', 'unit', 'no-such-filter'];
    execFile(process.execPath, args, { env: { PATH } }, (error, out) => done([error?.code, out]));
  });
  expect(code).toBe(1);
  expect(stdout).toContain('No test matches no-such-filter\n0 passed, 0 failed\n');
});
