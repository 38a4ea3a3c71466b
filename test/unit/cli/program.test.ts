import { describe, expect, it } from 'vitest';
import { renderAnswer } from '../../../src/cli/output.ts';
import { runAsynq } from './run.ts';

describe('asynq', () => {
  it('prints its version', async () => {
    const version = { code: 0, out: expect.stringMatching(/^asynq version \d+\.\d+\.\d+/), err: '' };
    expect(await runAsynq(['--version'])).toEqual(version);
    expect(await runAsynq(['version'])).toEqual(version);
  });

  it('prints help on stdout when asked for it', async () => {
    const { code, out, err } = await runAsynq(['queue', 'ls', '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('USAGE asynq queue list|ls');
    expect(out).toContain('INHERITED FLAGS');
    expect(out).toContain('--cluster_addrs');
  });

  it('prints help of a command that only holds others, and of none at all', async () => {
    for (const args of [[], ['queue']]) {
      const { code, out, err } = await runAsynq(args);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toMatch(/^USAGE asynq (queue )?<command> \[flags\]\n[^]*\nCOMMANDS\n[^]*\nLEARN MORE\n/);
    }
  });

  it('prints help of a command that is named, as Go does', async () => {
    expect(await runAsynq(['help', 'queue', 'ls'])).toEqual(await runAsynq(['queue', 'ls', '--help']));
    expect(await runAsynq(['help'])).toEqual(await runAsynq(['--help']));
    expect((await runAsynq(['help', 'queue', 'lst'])).err).toContain(
      'unknown command "lst" for "asynq queue"',
    );
  });

  it('says in the help which flags it cannot do without', async () => {
    const { out } = await runAsynq(['task', 'ls', '--help']);
    expect(out).toMatch(/-q, --queue <name> +queue that holds the tasks \(required\)/);
    expect(out).not.toMatch(/--group.*\(required\)/);
  });

  it.each([
    [
      ['queue', 'lst'],
      'error: unknown command "lst" for "asynq queue"\n\nDid you mean this?\n\tlist\n\tls\n',
    ],
    [['queue', 'xyz'], 'error: unknown command "xyz" for "asynq queue"\n'],
    [['quee', 'ls'], 'error: unknown command "quee" for "asynq"\n\nDid you mean this?\n\tqueue\n'],
    [['queue', '--nope'], 'error: unknown flag: --nope'],
    [['task', 'ls'], 'error: required flag(s) "queue", "state" not set'],
    [['task', 'inspect', '-i', 'x'], 'error: required flag(s) "queue" not set'],
    [['task', 'enqueue'], 'error: required flag(s) "payload", "type_name" not set'],
    [['group', 'ls'], 'error: required flag(s) "queue" not set'],
    [['task', 'ls', '-q', 'q', '-s', 'x'], 'error: state="x" is not supported: expected active, pending'],
    [['task', 'ls', '-q', 'q', '-s', 'aggregating'], 'error: flag --group is required'],
    [
      ['task', 'runall', '-q', 'q', '-s', 'pending'],
      'error: unsupported state "pending": expected scheduled, retry, archived, aggregating\n',
    ],
    [['task', 'archiveall', '-q', 'q', '-s', 'toString'], 'error: unsupported state "toString": expected'],
    [['task', 'ls', '-q', 'q', '-s', 'retry', '--page', '0'], 'expected a whole number from 1 on, got "0"'],
    [['queue', 'ls', '--nope'], "error: unknown option '--nope'"],
    [['queue', 'ls', 'more'], 'error: too many arguments'],
    [['queue', 'inspect'], "error: missing required argument 'queue'"],
    [['queue', 'ls', '-o', 'xml'], 'Allowed choices are table, json, yaml'],
    [['queue', 'ls', '-u', 'nowhere'], 'error: --uri: expected host:port, got "nowhere"\n'],
  ])('answers %j with an error on stderr and exit code 1', async (args, message) => {
    const { code, out, err } = await runAsynq(args);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(message);
  });
});

describe('renderAnswer', () => {
  const answer = { data: [{ queue: 'imágenes', keySlot: 2788 }], text: () => 'a table\n' };

  it.each([
    ['table', 'a table\n'],
    ['json', '[{"queue":"imágenes","keySlot":2788}]\n'],
    ['yaml', '- queue: imágenes\n  keySlot: 2788\n'],
  ] as const)('prints %s', async (format, text) => {
    expect(await renderAnswer(answer, format, String)).toBe(text);
  });
});
