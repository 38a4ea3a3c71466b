import type { ReadStream, WriteStream } from 'node:tty';
import { styleText } from 'node:util';

/** What a command line may touch of its process. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether people read what goes `out`, and how wide their window is; the same of `err`. */
  readonly isTTY: boolean;
  readonly isErrTTY: boolean;
  readonly columns: number;
  /** Keyboard and window, where somebody sits at both. */
  readonly tty: Tty | undefined;
  out(text: string): void;
  err(text: string): void;
  /** From here until it is disposed of, Ctrl-C aborts the signal instead of ending the process; a second one ends it. */
  interruptible(): Interruptible;
}

export interface Tty {
  readonly input: ReadStream;
  readonly output: WriteStream;
}

export interface Interruptible extends Disposable {
  readonly signal: AbortSignal;
}

/** Bold on a terminal that people read, unless they asked for none (NO_COLOR). */
export function bold(terminal: Terminal, text: string): string {
  const isPlain =
    !terminal.isTTY || (terminal.env['NO_COLOR'] ?? '') !== '' || terminal.env['TERM'] === 'dumb';
  return isPlain ? text : styleText('bold', text, { validateStream: false });
}
