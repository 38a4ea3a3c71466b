import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Child } from '../../lab/child.ts';
import { findOnPath } from '../../lab/find-on-path.ts';
import { tempDir } from '../../lab/temp-dir.ts';
import { until } from '../../support/until.ts';

const CHILD = join(import.meta.dirname, '../../lab/child.ts');

describe('Child', () => {
  it('fails the wait at once when the process ends, with the end of its log', async () => {
    await using dir = await tempDir('child');
    const script = 'echo first; echo "cannot bind" >&2; exit 3';
    const child = new Child({ name: 'server', command: 'sh', args: ['-c', script], dir: dir.path });
    await expect(child.ready(() => false, { timeout: 60_000 })).rejects.toThrow(
      /server: exit code 3; .*\nfirst\ncannot bind/s,
    );
  });

  it('says so when there is no such program', async () => {
    await using dir = await tempDir('child');
    const child = new Child({ name: 'server', command: '/no/such', args: [], dir: dir.path });
    await expect(child.ready(() => false)).rejects.toThrow(/\/no\/such/);
  });

  it('stops a process that ignores SIGTERM, with its children', async () => {
    await using dir = await tempDir('child');
    const script = 'trap "" TERM; sleep 1000 & echo $!; wait';
    const child = new Child({ name: 'stubborn', command: 'sh', args: ['-c', script], dir: dir.path });
    const grandchild = await child.ready(() => Number(child.tail()));
    await child.stop('SIGKILL');
    expect(await until(() => isGone(grandchild))).toBe(true);
  });

  it.runIf(findOnPath('setpriv'))('is gone when the process that started it is killed', async () => {
    await using dir = await tempDir('child');
    const starter = `import { Child } from ${JSON.stringify(CHILD)};
      const child = new Child({ name: 'orphan', command: 'sleep', args: ['1000'], dir: ${JSON.stringify(dir.path)} });
      console.log(child.pid);
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', starter]);
    const printed: Buffer[] = [];
    parent.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
    const orphan = await until(() => Number(Buffer.concat(printed).toString()));
    parent.kill('SIGKILL');
    expect(await until(() => isGone(orphan))).toBe(true);
  });
});

/** Ended; a zombie that nobody has asked for is that, too. */
async function isGone(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return state === undefined || /\) [ZX] /.test(state);
}
