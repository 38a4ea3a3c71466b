import { describe, expect, it } from 'vitest';
import { runAsynq as run } from '../../../../src/cli/asynq.ts';
import { fakeTerminal, runAsynq } from '../run.ts';

describe('asynq dash refuses', () => {
  it.each(['999ms', '0', '-5s'])('to look every %s', async (refresh) => {
    const { code, err } = await runAsynq(['dash', '--refresh', refresh]);
    expect(code).toBe(1);
    expect(err).toMatch(/cannot be less than 1s|not negative/);
  });

  it('to run without a terminal', async () => {
    expect(await runAsynq(['dash'])).toEqual({
      code: 1,
      out: '',
      err: 'error: expected a terminal as stdin and stdout: see asynq stats\n',
    });
  });

  it('to run on one that can only print', async () => {
    const tty = { input: process.stdin, output: process.stdout };
    const terminal = { ...fakeTerminal({ env: { TERM: 'dumb' } }), tty };
    expect(await run(['dash'], { terminal })).toBe(1);
    expect(terminal.written.err).toBe('error: expected a terminal with a cursor, got TERM=dumb\n');
  });
});
