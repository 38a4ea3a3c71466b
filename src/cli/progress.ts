import type { Clock } from '../runtime/clock.ts';
import { displayWidth } from './table.ts';
import type { Terminal } from './terminal.ts';

/** What is done sooner needs no bar. */
const SHOW_AFTER_MS = 300;
const REDRAW_MS = 100;
const ERASE_LINE = '\r\u001b[K';

/** How far long work has come, on one line of a terminal that people read, and nowhere else. */
export class ProgressBar implements Disposable {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #label: string;
  #nextDraw: number;
  #isDrawn = false;

  constructor(terminal: Terminal, clock: Clock, label: string) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#label = label;
    this.#nextDraw = clock.monotonic() + SHOW_AFTER_MS;
  }

  update(done: number, total: number): void {
    const now = this.#clock.monotonic();
    if (!this.#terminal.isErrTTY || now < this.#nextDraw) return;
    this.#nextDraw = now + REDRAW_MS;
    this.#isDrawn = true;
    this.#terminal.err(ERASE_LINE + progressLine(this.#label, done, total, this.#terminal.columns));
  }

  /** Leaves the line as if nothing had been there. */
  [Symbol.dispose](): void {
    if (this.#isDrawn) this.#terminal.err(ERASE_LINE);
    this.#isDrawn = false;
  }
}

/** `archiving [=====>    ]  50%  500/1000`, shorter than the line. Pure. */
export function progressLine(label: string, done: number, total: number, columns: number): string {
  const part = total <= 0 ? 1 : Math.min(1, Math.max(0, done / total));
  const count = String(done).padStart(String(total).length);
  const figures = ` ${String(Math.floor(part * 100)).padStart(3)}% ${count}/${total}`;
  const width = Math.min(40, columns - displayWidth(label) - figures.length - 4);
  if (width < 3) return `${label}${figures}`.slice(0, Math.max(0, columns - 1));
  const full = Math.floor(part * width);
  const bar = part < 1 ? `${'='.repeat(full)}>`.padEnd(width).slice(0, width) : '='.repeat(width);
  return `${label} [${bar}]${figures}`;
}
