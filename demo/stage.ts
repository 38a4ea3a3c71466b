import { Screen } from './screen.ts';
import { type Picture, PLAIN_HEAD, plainLine, tableLines } from './view.ts';

const PLAIN_EVERY_SECONDS = 2;

/** Where the demo is seen: a table redrawn in place, lines where that cannot be, or nothing but the result. */
export interface Stage {
  say(line: string): void;
  show(picture: Picture): void;
  /** The last picture is shown: what follows stands below it. */
  close(): void;
}

export function createStage(output: 'text' | 'json'): Stage {
  if (output === 'json') return new SilentStage();
  return process.stdout.isTTY ? new ScreenStage() : new PlainStage();
}

/** A program reads our stdout; a person may still look at stderr. */
class SilentStage implements Stage {
  say(line: string): void {
    process.stderr.write(`${line}\n`);
  }
  show(): void {}
  close(): void {}
}

class PlainStage implements Stage {
  #shownAt = Number.NEGATIVE_INFINITY;

  say(line: string): void {
    process.stdout.write(`${line}\n`);
  }

  show(picture: Picture): void {
    if (picture.seconds - this.#shownAt < PLAIN_EVERY_SECONDS) return;
    if (this.#shownAt === Number.NEGATIVE_INFINITY) this.say(PLAIN_HEAD);
    this.#shownAt = picture.seconds;
    this.say(plainLine(picture));
  }

  close(): void {}
}

class ScreenStage implements Stage {
  readonly #screen = new Screen(process.stdout);

  say(line: string): void {
    process.stdout.write(`${line}\n`);
  }

  show(picture: Picture): void {
    const color = process.stdout.hasColors();
    this.#screen.draw(tableLines(picture, { color, columns: process.stdout.columns }));
  }

  close(): void {
    this.#screen.close();
  }
}
