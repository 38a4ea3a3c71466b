import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runBin } from '../../support/bin.ts';

const RECORDER = fileURLToPath(new URL('../../support/record-modules.mjs', import.meta.url));

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'asynq-loading-'));
});

afterAll(() => rm(folder, { recursive: true }));

/** Modules that a command loads until it has answered, or fails for want of anything to do. */
async function loadedBy(
  name: 'asynq' | 'asynq-operator',
  args: readonly string[],
  exitCode = 1,
): Promise<string> {
  const RECORD_MODULES = join(folder, 'modules');
  const { code } = await runBin(name, args, {
    env: { NODE_OPTIONS: `--import=${RECORDER}`, RECORD_MODULES },
  });
  expect(code).toBe(exitCode);
  return readFile(RECORD_MODULES, 'utf8');
}

describe('what is not needed is not loaded', () => {
  it.each([
    ['asynq', ['queue', 'ls', '-u', '127.0.0.1:1'], 'src/cli/queue.ts'],
    ['asynq-operator', ['worker'], 'src/server/worker.ts'],
    ['asynq-operator', ['dev', 'nowhere'], 'src/operator/local-operator.ts'],
    ['asynq-operator', ['validate', '-f', 'nowhere'], 'src/operator/validate.ts'],
    ['asynq-operator', ['validate', 'nowhere'], 'src/operator/validate.ts'],
  ] as const)('%s %j', async (name, args, needed) => {
    const modules = await loadedBy(name, args);
    expect(modules).toContain(needed);
    expect(modules).not.toMatch(/@kubernetes\/client-node|node_modules\/undici|kube\/transport/);
  });

  it('a command that asks Redis, of the modules that do the work', async () => {
    const modules = await loadedBy('asynq', ['queue', 'ls', '-u', '127.0.0.1:1']);
    expect(modules).toContain('src/redis/open.ts');
    expect(modules).not.toMatch(
      /src\/cli\/(task-list|stats-read|completion-scripts|dash\/)|node_modules\/(pino|yaml)\//,
    );
  });

  it('a command that asks nobody', async () => {
    const modules = await loadedBy('asynq', ['--version'], 0);
    expect(modules).not.toMatch(
      /src\/(redis\/open|tasks|broker|wire)|node_modules\/(ioredis|pino|yaml|@bufbuild)\//,
    );
  });
});
