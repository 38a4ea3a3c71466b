import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnsOf, line, lineWidth, overlay, shorten, wrap } from '../../../../src/cli/dash/line.ts';
import { displayWidth, visible } from '../../../../src/cli/table.ts';
import { anyText } from '../../../support/any-text.ts';
import { textOf } from './sights.ts';

const WIDE = ['imágenes', '日本', '🎉', '👩‍👩‍👧', 'e\u0301', 'ａ', '\u200b', 'x'];
const text = fc.oneof(
  fc.array(fc.constantFrom(...WIDE)).map((parts) => parts.join('')),
  anyText,
);

describe('columnsOf', () => {
  it('takes as many columns as it is asked for', () => {
    fc.assert(
      fc.property(fc.array(text), fc.nat(30), fc.nat(30), (texts, from, length) => {
        const cut = columnsOf(
          texts.flatMap((one) => line(one, 'dim')),
          from,
          from + length,
        );
        expect(lineWidth(cut)).toBe(length);
      }),
    );
  });

  it('leaves a blank for half a wide character', () => {
    expect(textOf(columnsOf(line('日本'), 1, 3))).toBe('  ');
    expect(textOf(columnsOf(line('a日本b'), 0, 4))).toBe('a日 ');
  });
});

describe('shorten', () => {
  it('keeps to its width, and what fits as it is', () => {
    fc.assert(
      fc.property(text.map(visible), fc.nat(20), (given, width) => {
        const short = shorten(given, width);
        expect(displayWidth(short)).toBeLessThanOrEqual(width);
        expect(short === given).toBe(displayWidth(given) <= width);
      }),
    );
  });

  it('ends in an ellipsis', () => {
    expect(shorten('日本の画像', 6)).toBe('日本…');
  });
});

it('wraps without losing anything', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 2, max: 20 }), (given, width) => {
      const pieces = wrap(given, width);
      expect(pieces.join('')).toBe(visible(given));
      for (const piece of pieces) expect(displayWidth(piece)).toBeLessThanOrEqual(width);
    }),
  );
});

it('lays a box over lines, and over half a wide character', () => {
  const lines = overlay([line('abcdef'), line('日本日本'), line('')], [line('[x]'), line('[y]')], 1, 1);
  expect(lines.map(textOf)).toEqual(['abcdef', ' [x]日本', ' [y]']);
});
