import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesData, bytesText } from '../../../src/cli/bytes-text.ts';
import { suggestions } from '../../../src/cli/suggestions.ts';
import { agoText, spanText, untilText } from '../../../src/cli/time-text.ts';

describe('bytesText', () => {
  it.each([
    ['{"a":1}', '{"a":1}'],
    ['imágenes 画像 🙂', 'imágenes 画像 🙂'],
    ['', 'non-printable bytes'],
    ['   ', 'non-printable bytes'],
    ['a\nb', 'non-printable bytes'],
    ['a\u00a0b', 'non-printable bytes'],
    ['\u202eabc', 'non-printable bytes'],
    ['\ufeff{}', 'non-printable bytes'],
  ])('%j', (text, shown) => {
    expect(bytesText(Buffer.from(text))).toBe(shown);
  });

  it('shows no bytes that are not UTF-8', () => {
    expect(bytesText(Uint8Array.of(0x61, 0xff))).toBe('non-printable bytes');
    expect(bytesData(Uint8Array.of(0x61, 0xff))).toEqual({ text: null, base64: 'Yf8=' });
    expect(bytesData(undefined)).toEqual({ text: null, base64: null });
  });

  it('gives programs all that it was', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const { text, base64 } = bytesData(bytes);
        expect(new Uint8Array(Buffer.from(base64 ?? '', 'base64'))).toEqual(bytes);
        expect(text === null || Buffer.from(text).equals(bytes)).toBe(true);
      }),
    );
  });
});

describe('times', () => {
  it("are told in Go's words, to the second", () => {
    expect(spanText(0)).toBe('0s');
    expect(spanText(499)).toBe('0s');
    expect(spanText(500)).toBe('1s');
    expect(spanText(3_600_000)).toBe('1h0m0s');
    expect(agoText(new Date(1_000), 61_400)).toBe('1m0s ago');
    expect(untilText(new Date(20_000), 0)).toBe('in 20s');
    expect(untilText(new Date(0), 0)).toBe('right now');
    expect(untilText(undefined, 5)).toBe('right now');
  });
});

describe('suggestions', () => {
  const names = ['list', 'ls', 'inspect', 'pause', 'resume', 'unpause'];

  it.each([
    ['lst', ['list', 'ls']],
    ['LIST', ['list', 'ls']],
    ['insp', ['inspect']],
    ['puase', ['pause']],
    ['unpuase', ['unpause']],
    ['delete', []],
  ])('%s', (typed, meant) => {
    expect(suggestions(typed, names)).toEqual(meant);
  });
});
