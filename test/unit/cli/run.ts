import { asynqProgram } from '../../../src/cli/asynq.ts';
import { runProgram, type Terminal } from '../../../src/cli/program.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the `asynq` command line within this process. */
export async function runAsynq(args: readonly string[], env: Terminal['env'] = {}): Promise<Ran> {
  let out = '';
  let err = '';
  const terminal: Terminal = {
    env,
    isTTY: false,
    out: (text) => void (out += text),
    err: (text) => void (err += text),
  };
  const code = await runProgram(asynqProgram(terminal), args, terminal);
  return { code, out, err };
}
