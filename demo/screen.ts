import type { WriteStream } from 'node:tty';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_TO_END = '\u001b[J';
const CLEAR_LINE = '\u001b[K';
/** What is between these is shown at once by terminals that know them, and ignored by others. */
const BEGIN_SYNC = '\u001b[?2026h';
const END_SYNC = '\u001b[?2026l';

/** A block of lines at the bottom of a terminal, redrawn in place without flicker. */
export class Screen {
  readonly #stream: WriteStream;
  #height = 0;

  constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  draw(lines: readonly string[]): void {
    const up = this.#height === 0 ? HIDE_CURSOR : `\u001b[${this.#height}A`;
    const body = lines.map((line) => `${line}${CLEAR_LINE}\n`).join('');
    this.#stream.write(`${BEGIN_SYNC}${up}${body}${CLEAR_TO_END}${END_SYNC}`);
    this.#height = lines.length;
  }

  /** Leaves the last picture where it is. */
  close(): void {
    if (this.#height > 0) this.#stream.write(SHOW_CURSOR);
    this.#height = 0;
  }
}
