import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { binPath, runBin } from '../../support/bin.ts';

let folder: string;
let flags: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'asynq-operator-flags-'));
  const kubeconfig = join(folder, 'config');
  await writeFile(
    kubeconfig,
    `apiVersion: v1
kind: Config
current-context: nowhere
clusters: [{ name: nowhere, cluster: { server: 'http://127.0.0.1:1' } }]
users: [{ name: nobody, user: {} }]
contexts: [{ name: nowhere, context: { cluster: nowhere, user: nobody } }]
`,
  );
  flags = ['operator', '--kubeconfig', kubeconfig, '--health-port', '0', '--metrics-port', '0'];
});

afterAll(() => rm(folder, { recursive: true }));

/** What the operator tells of itself as it starts. */
async function started(env: Readonly<Record<string, string>>): Promise<unknown> {
  const child = spawn(process.execPath, [binPath('asynq-operator'), ...flags], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const entry = JSON.parse(line) as { msg?: string };
      if (entry.msg === 'started') return entry;
    }
    throw new Error('it ended before it had started');
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

describe('asynq-operator operator', () => {
  it('serves all namespaces when the variable is set to nothing', async () => {
    const unset = { WATCH_NAMESPACES: '', LEASE_NAME: '', LOG_LEVEL: '', ASYNQ_REDIS_ADDRS: '' };
    expect(await started(unset)).toMatchObject({ namespaces: 'all' });
  });

  it('serves the namespaces of the variable', async () => {
    expect(await started({ WATCH_NAMESPACES: 'media, shop' })).toMatchObject({
      namespaces: ['media', 'shop'],
    });
  });

  it('refuses a list that names no namespace', async () => {
    for (const { code, stderr } of [
      await runBin('asynq-operator', [...flags, '--watch-namespaces', ', ']),
      await runBin('asynq-operator', flags, { env: { WATCH_NAMESPACES: ',' } }),
    ]) {
      expect(code).toBe(1);
      expect(stderr).toMatch(/expected name,name,..., got "/);
    }
  });
});

describe('asynq-operator worker', () => {
  it('tells which variables there are, and refuses a log level that is none', async () => {
    const help = await runBin('asynq-operator', ['worker', '--help']);
    expect(help.stdout).toMatch(/^ {2}ASYNQ_QUEUES .*\(required\)$/m);
    expect(help.stdout).toContain('docs/worker.md');
    const { code, stderr } = await runBin('asynq-operator', ['worker'], { env: { LOG_LEVEL: 'foo' } });
    expect(code).toBe(1);
    expect(stderr).toContain("'foo' from env 'LOG_LEVEL' is invalid. Allowed choices are debug, info");
  });
});
