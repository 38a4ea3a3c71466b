import { charactersOf } from '../../src/cli/dash/line.ts';
import { displayWidth } from '../../src/cli/table.ts';

const ESC = '\u001b';
const CONTROL = new RegExp(`${ESC}\\[(\\??)([\\d;]*)([A-Za-z])|\\r|\\n`, 'g');

/** As much of a terminal as our own screens ask for: what is written to it, as the user sees it. */
export class ScreenText {
  #rows: string[][] = [];
  #row = 0;
  #column = 0;
  /** The program has the whole window. */
  isAlternate = false;
  isCursorShown = true;

  write(text: string): void {
    let at = 0;
    for (const match of text.matchAll(CONTROL)) {
      this.#print(text.slice(at, match.index));
      at = match.index + match[0].length;
      this.#control(match);
    }
    this.#print(text.slice(at));
  }

  get text(): string {
    return Array.from(this.#rows, (row: string[] | undefined) =>
      Array.from(row ?? [], (cell: string | undefined) => cell ?? ' ')
        .join('')
        .trimEnd(),
    ).join('\n');
  }

  #control([all, isPrivate = '', parameters = '', name = '']: RegExpMatchArray): void {
    if (all === '\r') this.#column = 0;
    else if (all === '\n') this.#row++;
    else if (isPrivate !== '') this.#mode(parameters, name === 'h');
    else if (name === 'J') this.#rows = [];
    else if (name === 'K') this.#rows[this.#row] = [];
    else if (name === 'H') {
      const [row = 1, column = 1] = parameters.split(';').map(Number);
      this.#row = row - 1;
      this.#column = column - 1;
    }
  }

  #mode(mode: string, isOn: boolean): void {
    if (mode === '1049') {
      this.isAlternate = isOn;
      this.#rows = [];
      this.#row = 0;
      this.#column = 0;
    }
    if (mode === '25') this.isCursorShown = isOn;
  }

  #print(text: string): void {
    if (text === '') return;
    const row = (this.#rows[this.#row] ??= []);
    for (const character of charactersOf(text)) {
      row[this.#column] = character;
      const width = displayWidth(character);
      if (width === 2) row[this.#column + 1] = '';
      this.#column += width;
    }
  }
}
