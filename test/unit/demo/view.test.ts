import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Picture, plainLine, type Row, tableLines } from '../../../demo/view.ts';
import { displayWidth } from '../../../src/cli/table.ts';

const row: Row = {
  queue: 'imágenes',
  keySlot: 2788,
  node: '127.0.0.1:7000',
  pending: 56,
  active: 12,
  latencySeconds: 6.12,
  desired: 3,
  ready: 2,
  history: [0, 120, 60, 1],
};

const unknown: Row = {
  queue: 'webhooks',
  keySlot: undefined,
  node: undefined,
  pending: undefined,
  active: undefined,
  latencySeconds: undefined,
  desired: 0,
  ready: 0,
  history: [],
};

const picture: Picture = {
  rows: [row, unknown],
  phase: 'a burst',
  seconds: 11.4,
  enqueued: 1187,
  processed: 912,
};

const shown = (columns: number, color = false) => tableLines(picture, { color, columns });

describe('tableLines', () => {
  it('shows all that is asked of the demo', () => {
    expect(shown(120).map((line) => line.trimEnd())).toEqual([
      '  QUEUE            SLOT  NODE            PENDING  ACTIVE  LATENCY  DESIRED/READY  BACKLOG',
      '  imágenes         2788  127.0.0.1:7000       56      12    6.1 s  3/2 ■■□         █▄▁',
      '  webhooks            -  -                     -       -        -  0/0',
      '',
      '   11 s   912 of 1187 tasks processed   a burst',
    ]);
  });

  it('looks the same in color', () => {
    expect(shown(120, true).map(stripVTControlCharacters)).toEqual(shown(120));
    expect(shown(120, true).join('')).toContain('\u001b[1mimágenes');
  });

  it.each([200, 120, 100, 80, 60, 50])('wraps no line in %d columns', (columns) => {
    for (const line of shown(columns)) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    expect(shown(columns).join('\n')).toMatch(/imágenes .* 56 .*3\/2 ■■□/);
  });
});

describe('plainLine', () => {
  it('tells the same on one line', () => {
    expect(plainLine(picture)).toBe(
      ' 11 s  imágenes 56 pending 12 active 3/2 workers, webhooks - pending - active 0/0 workers; 912 of 1187 processed',
    );
  });
});
