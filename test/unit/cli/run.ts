import { runAsynq as run } from '../../../src/cli/asynq.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A terminal that remembers what was written to it. */
export interface FakeTerminal extends Terminal {
  readonly written: { out: string; err: string };
  /** What Ctrl-C does. */
  interrupt(): void;
}

export function fakeTerminal(
  fields: Partial<Pick<Terminal, 'env' | 'isTTY' | 'isErrTTY' | 'columns'>> = {},
): FakeTerminal {
  const written = { out: '', err: '' };
  let controller = new AbortController();
  return {
    env: {},
    isTTY: false,
    isErrTTY: false,
    columns: 80,
    tty: undefined,
    ...fields,
    written,
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    interruptible() {
      controller = new AbortController();
      return { signal: controller.signal, [Symbol.dispose]: () => {} };
    },
    interrupt: () => controller.abort(),
  };
}

/** Runs the `asynq` command line within this process. */
export async function runAsynq(args: readonly string[], env: Terminal['env'] = {}): Promise<Ran> {
  const terminal = fakeTerminal({ env });
  const code = await run(args, { terminal });
  return { code, ...terminal.written };
}
