import { emitKeypressEvents, type Interface } from 'node:readline';
import type { Tty } from '../terminal.ts';
import { type Key, type Keypress, keyOf } from './keys.ts';
import type { Size } from './line.ts';

/** Alternate screen, hidden cursor, no automatic wrapping; and back. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
/** What is between these is shown at once by terminals that know them, and ignored by others. */
const BEGIN_SYNC = '\u001b[?2026h';
const END_SYNC = '\u001b[?2026l';
const CLEAR_LINE = '\u001b[2K';

/** How long after an Esc the rest of a key that begins with it may come. */
const ESCAPE_MS = 50;

/** What a terminal has that does not know its size. */
const DEFAULT_SIZE: Size = { columns: 80, rows: 24 };

export interface ScreenListener {
  onKey(key: Key): void;
  onResize(): void;
  /** The terminal is gone. */
  onEnd(): void;
}

/** The whole window and the keyboard, from here until it is closed; also an exit of the process gives them back. */
export class FullScreen implements Disposable {
  readonly #tty: Tty;
  readonly #listener: ScreenListener;
  #shown: readonly string[] = [];
  #isOpen = true;

  constructor(tty: Tty, listener: ScreenListener) {
    const { input, output } = tty;
    this.#tty = tty;
    this.#listener = listener;
    process.on('exit', this.#leave);
    output.write(ENTER);
    output.on('resize', this.#resize);
    // The type wants more than is read of it.
    emitKeypressEvents(input, { escapeCodeTimeout: ESCAPE_MS } as unknown as Interface);
    input.on('keypress', this.#keypress).on('end', this.#end).on('error', this.#end);
    input.setRawMode(true);
    input.resume();
  }

  get size(): Size {
    const { columns, rows } = this.#tty.output;
    return { columns: columns || DEFAULT_SIZE.columns, rows: rows || DEFAULT_SIZE.rows };
  }

  /** Writes the rows that have changed. */
  draw(rows: readonly string[]): void {
    if (!this.#isOpen) return;
    const changed = rows.flatMap((row, i) =>
      row === this.#shown[i] ? [] : [`\u001b[${i + 1};1H${CLEAR_LINE}${row}`],
    );
    this.#shown = rows;
    if (changed.length > 0) this.#tty.output.write(BEGIN_SYNC + changed.join('') + END_SYNC);
  }

  /** Forgets what is on the screen: the next picture is drawn as a whole. */
  clear(): void {
    this.#shown = [];
    if (this.#isOpen) this.#tty.output.write('\u001b[2J');
  }

  [Symbol.dispose](): void {
    const { input, output } = this.#tty;
    this.#leave();
    process.off('exit', this.#leave);
    output.off('resize', this.#resize);
    // Not the listener for errors: one may still come of a terminal that has gone away.
    input.off('keypress', this.#keypress).off('end', this.#end);
    input.pause();
  }

  readonly #leave = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#tty.input.setRawMode(false);
    this.#tty.output.write(LEAVE);
  };

  readonly #resize = (): void => {
    this.clear();
    this.#listener.onResize();
  };

  readonly #keypress = (_: string | undefined, press: Keypress): void => {
    const key = keyOf(press);
    if (key !== undefined) this.#listener.onKey(key);
  };

  readonly #end = (): void => this.#listener.onEnd();
}
