import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { goQuote, goUnquote } from '../../../src/runtime/go-quote.ts';
import { anyText } from '../../support/any-text.ts';

it.each([
  ['', '""'],
  ['imágenes 📷', '"imágenes 📷"'],
  ['"\\', '"\\"\\\\"'],
  ['\u0007\b\f\n\r\t\v', '"\\a\\b\\f\\n\\r\\t\\v"'],
  ['\x00\x7f\u00a0\u{e000}\u{10ffff}', '"\\x00\\x7f\\u00a0\\ue000\\U0010ffff"'],
  ['half \ud800', '"half \ufffd"'],
])('quotes %j', (text, quoted) => {
  expect(goQuote(text)).toBe(quoted);
});

it.each([
  ['"\\xc3\\xb1 \\303\\261 \\u00f1 \\U0001f4f7"', 'ñ ñ ñ 📷'],
  ['"', undefined],
  ['x', undefined],
  ['"a"b"', undefined],
  ['"\\q"', undefined],
  ['"\\"', undefined],
  ['"\\ud800"', undefined],
  ['"\\U00110000"', undefined],
  ['"\\400"', undefined],
  ['"a\nb"', undefined],
])('unquotes %j', (literal, text) => {
  expect(goUnquote(literal)).toBe(text);
});

it('unquotes what it quoted', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(goUnquote(goQuote(text))).toBe(text.toWellFormed());
    }),
  );
});
