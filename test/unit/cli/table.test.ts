import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth, renderTable, visible } from '../../../src/cli/table.ts';

describe('renderTable', () => {
  it("prints what Go's CLI prints, trailing blanks included", () => {
    const table = renderTable(
      ['Queue', 'Cluster KeySlot'],
      [
        ['critical', '8090'],
        ['imágenes', '2788'],
      ],
    );
    expect(table).toBe(
      [
        'Queue     Cluster KeySlot  ',
        '-----     ---------------  ',
        'critical  8090             ',
        'imágenes  2788             ',
        '',
      ].join('\n'),
    );
  });

  it('counts a wide character as two columns and a combining accent as none', () => {
    const [header, , wide, combined] = renderTable(
      ['Q', 'N'],
      [
        ['画像', '1'],
        ['ima\u0301', '2'],
      ],
    ).split('\n');
    expect(header).toBe('Q     N  ');
    expect(wide).toBe('画像  1  ');
    expect(combined).toBe('ima\u0301   2  ');
  });

  it('keeps a name that holds control characters on its line', () => {
    const table = renderTable(['Q'], [['a\nb\t\u001b[2J\u202e']]);
    expect(table.split('\n')).toHaveLength(4);
    expect(table).toContain(String.raw`a\nb\t\u001b[2J\u202e`);
  });

  it('gives every line the same width, whatever the cells hold', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' })), { maxLength: 5 }),
        (rows) => {
          const lines = renderTable(['One', 'Two'], rows).split('\n').slice(0, -1);
          expect(lines).toHaveLength(rows.length + 2);
          expect(new Set(lines.map(displayWidth)).size).toBe(1);
        },
      ),
    );
  });
});

describe('visible', () => {
  it('leaves text of any script alone', () => {
    for (const text of ['imágenes', 'a,b:c {x}', '👩‍👩‍👧', '画像', 'עברית']) expect(visible(text)).toBe(text);
  });
});
