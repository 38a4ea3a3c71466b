import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');

/** All that Go's library exports (as `go doc -all` has it), and the commands and flags of its CLI. */
const GO_API = readFileSync(join(ROOT, 'test/vectors/go-api.txt'), 'utf8').trim().split('\n');

const page = readFileSync(join(ROOT, 'docs/parity.md'), 'utf8');

interface Row {
  readonly section: string;
  readonly cells: readonly string[];
}

const rows: readonly Row[] = page
  .split(/^## /m)
  .slice(1)
  .flatMap((part) => {
    const [section = '', ...lines] = part.split('\n');
    const table = lines.filter((line) => line.startsWith('|') && !/^\|(-| Go \|)/.test(line));
    return table.map((line) => ({ section, cells: cellsOf(line) }));
  });

const ofGo = rows.filter(({ section }) => section !== 'Deliberate differences');

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** The names of a cell: `A.{B,C}` are `A.B` and `A.C`. */
function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, name = '']) => {
    const [, prefix = '', list = ''] = /^(.*)\{(.*)\}$/.exec(name) ?? [];
    return list === '' ? [name] : list.split(',').map((member) => prefix + member);
  });
}

test('each name of Go is in one row, and no row has a name that Go has not', () => {
  const named = ofGo.flatMap(({ cells }) => namesIn(cells[0] ?? ''));
  expect(named.toSorted()).toEqual(GO_API.toSorted());
});

test('each row is shown by tests that exist', () => {
  for (const { cells } of rows) {
    const tests = cells.at(-1)?.split(', ') ?? [];
    expect(
      tests.filter((path) => !/^test\/.+\.test\.ts$/.test(path) || !existsSync(join(ROOT, path))),
    ).toEqual([]);
    expect({ cells, tests: tests.length }).not.toEqual({ cells, tests: 0 });
  }
  const mentioned = [...page.matchAll(/test\/[\w/.-]+\.ts/g)].map(([path]) => path);
  expect(mentioned.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('each row says what there is, and nothing is put off', () => {
  expect(rows.filter(({ cells }) => cells.length !== 3 || cells.includes(''))).toEqual([]);
  expect(page).not.toMatch(/\b(later|todo|not yet|planned)\b/i);
});
