import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asynqProgram } from '../../../src/cli/asynq.ts';
import { Context } from '../../../src/cli/context.ts';
import { goArguments } from '../../../src/cli/go-arguments.ts';
import { fakeTerminal, runAsynq } from './run.ts';

const program = asynqProgram(new Context({ terminal: fakeTerminal() }));
const read = (...args: string[]) => goArguments(program, args);

describe('arguments in Go style', () => {
  it.each([
    [
      ['queue', 'ls', '--cluster=true'],
      ['queue', 'ls', '--cluster'],
    ],
    [
      ['--cluster=false', 'queue', 'ls'],
      ['--no-cluster', 'queue', 'ls'],
    ],
    [
      ['--tls=0', '--insecure=T'],
      ['--no-tls', '--insecure'],
    ],
    [
      ['queue', 'rm', '--force=false', 'q'],
      ['queue', 'rm', 'q'],
    ],
    [
      ['task', 'ls', '-q=low', '--state=retry'],
      ['task', 'ls', '-q', 'low', '--state', 'retry'],
    ],
    [['-p==secret'], ['-p', '=secret']],
  ])('%j', (args, expected) => {
    expect(read(...args)).toEqual(expected);
  });

  it.each(['yes', ''])('refuses a switch that is set to "%s"', async (value) => {
    const { code, out, err } = await runAsynq(['queue', 'ls', `--cluster=${value}`]);
    expect({ code, out, err }).toEqual({
      code: 1,
      out: '',
      err: `error: --cluster: expected true or false, got "${value}"\n`,
    });
  });

  it('leaves values alone that look like flags', () => {
    expect(read('-l', '--cluster=false', '-p', '-q=x')).toEqual(['-l', '--cluster=false', '-p', '-q=x']);
    expect(read('queue', 'rm', '--', '--force=false')).toEqual(['queue', 'rm', '--', '--force=false']);
  });

  it('gives every flag the same meaning in all commands', () => {
    const valued = new Map<string, boolean>();
    const visit = (command: typeof program): void => {
      for (const { long, short, required } of command.options) {
        for (const name of [long, short]) {
          if (name === undefined) continue;
          expect([name, valued.get(name) ?? required]).toEqual([name, required]);
          valued.set(name, required);
        }
      }
      for (const below of command.commands) visit(below);
    };
    visit(program);
    expect(valued.size).toBeGreaterThan(20);
  });

  it('changes nothing that has no equals sign', () => {
    fc.assert(
      fc.property(fc.array(fc.string().filter((arg) => !arg.includes('='))), (args) => {
        expect(read(...args)).toEqual(args);
      }),
    );
  });
});
