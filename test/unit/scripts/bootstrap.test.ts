import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type TempDir, tempDir } from '../../lab/temp-dir.ts';
import { until } from '../../support/until.ts';

const LOCK_FILE = JSON.stringify({ packages: { '': {}, 'node_modules/one': { version: '1.0.0' } } });

/**
 * Says who it is, has a process of its own as install scripts are, and installs when the file `go` appears. Without its
 * clone, whose test has failed, it ends.
 */
const NPM = `
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync, copyFileSync } from 'node:fs';
if (process.argv[2] === 'script') setInterval(() => {}, 1000);
else {
  const script = spawn(process.execPath, [process.argv[1], 'script']);
  writeFileSync('npm-' + process.pid, process.argv.slice(2).join(' ') + ' ' + script.pid);
  const end = (code) => {
    script.kill();
    process.exit(code);
  };
  setInterval(() => {
    if (existsSync('fail')) end(7);
    if (!existsSync('npm.mjs')) end(1);
    if (!existsSync('go')) return;
    mkdirSync('node_modules', { recursive: true });
    copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
    end(0);
  }, 20);
}
`;

/** A bare clone, with an npm that does as it is told. */
class Clone implements AsyncDisposable {
  readonly #dir: TempDir;

  private constructor(dir: TempDir) {
    this.#dir = dir;
  }

  static async make(): Promise<Clone> {
    const clone = new Clone(await tempDir('bootstrap'));
    await mkdir(clone.path('scripts'));
    await copyFile('scripts/bootstrap.mjs', clone.path('scripts/bootstrap.mjs'));
    await writeFile(clone.path('package-lock.json'), LOCK_FILE);
    await writeFile(clone.path('npm.mjs'), NPM);
    await writeFile(clone.path('npm.js'), "import('./npm.mjs');");
    await writeFile(clone.path('main.mjs'), "console.log('ran', process.argv[2]);");
    return clone;
  }

  path(name: string): string {
    return join(this.#dir.path, name);
  }

  /** `through`: a command that runs it. */
  run(word: string, through: readonly string[] = []): Run {
    const command = [...through, process.execPath, 'scripts/bootstrap.mjs', 'main.mjs', word];
    return new Run(this.#dir.path, this.path('npm.js'), command);
  }

  /** Process ids of each npm that was started, with those of its script. */
  async npms(): Promise<number[]> {
    const files = (await readdir(this.#dir.path)).filter((name) => /^npm-\d+$/.test(name));
    const words = await Promise.all(files.map((file) => readFile(this.path(file), 'utf8')));
    return files.flatMap((file, i) => [Number(file.slice(4)), Number(words[i]?.split(' ').at(-1))]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#dir.remove();
  }
}

class Run {
  readonly ended: Promise<number | string | null>;
  said = '';
  readonly #process: ChildProcess;

  constructor(cwd: string, npm: string, [program = '', ...args]: readonly string[]) {
    this.#process = spawn(program, args, {
      cwd,
      env: { PATH: process.env['PATH'], npm_execpath: npm, npm_lifecycle_event: 'test' },
    });
    const listen = (text: Buffer) => {
      this.said += text;
    };
    this.#process.stdout?.on('data', listen);
    this.#process.stderr?.on('data', listen);
    this.ended = new Promise((resolve) => {
      this.#process.once('close', (code, signal) => resolve(signal ?? code));
    });
    onTestFinished(() => void this.#process.kill('SIGKILL'));
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

// Each starts a handful of Nodes, one after the other.
describe('the way from a bare clone to a command', { timeout: 60_000 }, () => {
  it('installs once for two that come together, and says that one waits', async () => {
    await using clone = await Clone.make();
    const first = clone.run('first');
    await until(async () => (await clone.npms()).length === 2);
    const second = clone.run('second');
    await until(() => second.said.includes('waiting for it'));
    await writeFile(clone.path('go'), '');
    expect(await Promise.all([first.ended, second.ended])).toEqual([0, 0]);
    expect(first.said).toMatch(/Installing.*about a minute\nInstalled in \d+ s\nran first\n$/);
    expect(second.said).toMatch(/^Another run installs .*\nran second\n$/);
    expect(await clone.npms()).toHaveLength(2);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'on %s in the middle takes npm and its scripts with it, and the next run installs',
    async (signal, code) => {
      await using clone = await Clone.make();
      const run = clone.run('never');
      await until(async () => (await clone.npms()).length === 2);
      const started = await clone.npms();
      run.kill(signal);
      expect(await run.ended).toBe(code);
      await until(() => !started.some(isAlive));
      await writeFile(clone.path('go'), '');
      const next = clone.run('next');
      expect(await next.ended).toBe(0);
      expect(next.said).toMatch(/^Installing/);
    },
  );

  it('waits for the npm of a run that was killed', async () => {
    await using clone = await Clone.make();
    const killed = clone.run('killed');
    await until(async () => (await clone.npms()).length === 2);
    const [npm] = await clone.npms();
    killed.kill('SIGKILL');
    const next = clone.run('next');
    await until(() => next.said.includes(`(process ${npm}, `));
    await writeFile(clone.path('go'), '');
    expect(await next.ended).toBe(0);
    expect(next.said).not.toContain('Installing');
  });

  it('names the lock that it waits for, and does not wait for one of a process that had its own id', async () => {
    await using clone = await Clone.make();
    const first = clone.run('first');
    await until(async () => (await clone.npms()).length === 2);
    const second = clone.run('second');
    await until(() => second.said.includes('waiting for it'));
    const [, lock = ''] = /, lock (\S+)\): waiting/.exec(second.said) ?? [];
    expect(await readFile(lock, 'utf8')).toBe(String((await clone.npms())[0]));
    second.kill('SIGKILL');
    await second.ended;
    first.kill('SIGTERM');
    await first.ended;
    await writeFile(clone.path('go'), '');
    const third = clone.run('third', ['sh', '-c', 'printf %s $$ > "$0"; exec "$@"', lock]);
    await until(() => third.said.includes('ran third'));
    expect(await third.ended).toBe(0);
    expect(third.said).not.toContain('waiting');
  });

  it('ends its command when npm, which ran it, is no more', async () => {
    await using clone = await Clone.make();
    await writeFile(clone.path('go'), '');
    await writeFile(
      clone.path('main.mjs'),
      "process.once('SIGTERM', () => { console.log('ended'); process.exit(0); }); setInterval(() => {}, 1000); console.log('runs');",
    );
    const run = clone.run('never', ['sh', '-c', '"$@"; true', 'sh']);
    await until(() => run.said.includes('runs'));
    run.kill('SIGKILL');
    await until(() => run.said.includes('ended'));
    expect(run.said).toMatch(/runs\nended\n$/);
  });

  it('says how npm ended when it fails', async () => {
    await using clone = await Clone.make();
    await writeFile(clone.path('fail'), '');
    const run = clone.run('never');
    expect(await run.ended).toBe(1);
    expect(run.said).toMatch(/cannot be installed: npm ended with exit code 7; .*\n$/);
  });
});
