import { StopSignals } from '../runtime/lifecycle.ts';
import { INTERRUPTED } from './program.ts';
import type { Terminal } from './terminal.ts';

const DEFAULT_COLUMNS = 80;

/** This process's own terminal. A reader that goes away (`asynq queue ls | head -1`) is no error. */
export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  return {
    env: process.env,
    isTTY: process.stdout.isTTY,
    isErrTTY: process.stderr.isTTY,
    get columns() {
      // A terminal that does not know its size says 0.
      return process.stderr.columns || process.stdout.columns || DEFAULT_COLUMNS;
    },
    get tty() {
      const { stdin: input, stdout: output } = process;
      return input.isTTY && output.isTTY ? { input, output } : undefined;
    },
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    interruptible() {
      const signals = new StopSignals();
      signals.forceful.addEventListener('abort', () => process.exit(INTERRUPTED));
      return { signal: signals.graceful, [Symbol.dispose]: () => signals[Symbol.dispose]() };
    },
  };
}
