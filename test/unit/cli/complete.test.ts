import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asynqProgram } from '../../../src/cli/asynq.ts';
import { completionLines } from '../../../src/cli/complete.ts';
import { SCRIPTS } from '../../../src/cli/completion-scripts.ts';
import { Context } from '../../../src/cli/context.ts';
import { binPath } from '../../support/bin.ts';
import { fakeTerminal, runAsynq } from './run.ts';

const program = asynqProgram(new Context({ terminal: fakeTerminal() }));

/** What is offered for the last of `words`. */
function offered(...words: string[]): string[] {
  const lines = completionLines(program, words).split('\n').slice(0, -1);
  return lines.map((line) => line.split('\t', 1).join(''));
}

describe('completion', () => {
  it.each([
    [['que'], ['queue']],
    [
      ['queue', 'r'],
      ['resume', 'remove'],
    ],
    [
      ['queue', ''],
      ['list', 'inspect', 'history', 'pause', 'resume', 'limits', 'remove'],
    ],
    [
      ['--cluster', '-p', 'queue', 'task', 'arch'],
      ['archive', 'archiveall'],
    ],
    [['queue', 'rm', '--f'], ['--force']],
    [['task', 'ls', '--st'], ['--state']],
    [
      ['task', 'ls', '--state', 'a'],
      ['active', 'aggregating', 'archived'],
    ],
    [['task', 'ls', '--state=ac'], ['--state=active']],
    [['task', 'ls', '--state', '=', 'ac'], ['active']],
    [
      ['task', 'ls', '--state', '='],
      ['active', 'pending', 'aggregating', 'scheduled', 'retry', 'archived', 'completed'],
    ],
    [
      ['task', 'runall', '-s', ''],
      ['scheduled', 'retry', 'archived', 'aggregating'],
    ],
    [['-o', 'y'], ['yaml']],
    [['--config', ''], [':files']],
    [['task', 'ls', '--queue', ''], []],
    [['queue', 'pause', ''], []],
    [['queue', 'rm', '--', '--f'], []],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
  ])('%j', (words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });

  it('tells of no hidden command or flag', () => {
    expect(offered('')).not.toContain('version');
    expect(offered('__')).toEqual([]);
    expect(offered('--no')).toEqual([]);
  });

  it('says what each word is', () => {
    expect(completionLines(program, ['queue', 'pau'])).toBe('pause\tLet no more tasks of queues be taken\n');
  });

  it('bears whatever stands on the line', () => {
    const word = fc.oneof(
      fc.constantFrom('queue', 'task', '-q', '--state', '=', '--', 'ls', '--x='),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(completionLines(program, words)).toMatch(/^(?:[^\n]*\n)*$/);
      }),
    );
  });

  it('has a script for each shell', async () => {
    for (const shell of ['bash', 'zsh', 'fish'] as const) {
      expect(await runAsynq(['completion', shell])).toEqual({ code: 0, out: SCRIPTS[shell], err: '' });
    }
  });
});

describe('completion in bash', () => {
  let dir: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'asynq-completion-'));
    writeFileSync(join(dir, 'asynq'), `#!/bin/sh\nexec '${process.execPath}' '${binPath('asynq')}' "$@"\n`, {
      mode: 0o755,
    });
  });

  afterAll(() => rmSync(dir, { recursive: true }));

  /** What bash has for `words` when the tab key is hit at the end of the last. */
  async function tab(...words: string[]): Promise<string[]> {
    const script = `${SCRIPTS.bash}
      COMP_WORDS=(asynq "$@"); COMP_CWORD=$#
      compopt() { echo "compopt $*"; }
      _asynq; printf '%s\\n' "\${COMPREPLY[@]}"; complete -p asynq`;
    const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', script, 'bash', ...words], {
      env: { PATH: `${dir}:${process.env['PATH']}` },
    });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.pop()).toBe('complete -F _asynq asynq');
    return lines;
  }

  it.each([
    [
      ['queue', 're'],
      ['resume', 'remove'],
    ],
    [['task', 'ls', '--state', '=', 'ac'], ['active']],
    [
      ['--config', ''],
      ['compopt -o default', ''],
    ],
  ])('%j', async (words, expected) => {
    expect(await tab(...words)).toEqual(expected);
  });
});
