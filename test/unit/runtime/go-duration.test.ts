import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatGoDuration, parseGoDuration } from '../../../src/runtime/go-duration.ts';

it.each([
  ['0', 0],
  ['5s', 5_000],
  ['1m30s', 90_000],
  ['1h0m0s', 3_600_000],
  ['24h', 86_400_000],
  ['1.5s', 1_500],
  ['.5m', 30_000],
  ['1.s', 1_000],
  ['-1.5h', -5_400_000],
  ['+300ms', 300],
  ['3us', 0.003],
  ['3µs', 0.003],
  ['3μs', 0.003],
  ['7ns', 0.000007],
  ['1s1h', 3_601_000],
  ['0.3333333333333333333h', 1_200_000],
])('reads %j', (text, ms) => {
  expect(parseGoDuration(text)).toBe(ms);
});

it.each([
  ['', 'time: invalid duration ""'],
  ['-', 'time: invalid duration "-"'],
  ['.s', 'time: invalid duration ".s"'],
  ['s', 'time: invalid duration "s"'],
  [' 1s', 'time: invalid duration " 1s"'],
  ['--1s', 'time: invalid duration "--1s"'],
  ['5', 'time: missing unit in duration "5"'],
  ['1s5', 'time: missing unit in duration "1s5"'],
  ['5d', 'time: unknown unit "d" in duration "5d"'],
  ['1é"', 'time: unknown unit "\\xc3\\xa9\\"" in duration "1\\xc3\\xa9\\""'],
  ['9223372036854775808ns', 'time: invalid duration "9223372036854775808ns"'],
  ['3000000h', 'time: invalid duration "3000000h"'],
])('refuses %j in the words of Go', (text, message) => {
  expect(() => parseGoDuration(text)).toThrow(
    expect.objectContaining({ code: 'ASYNQ_OPTION_INVALID', message }),
  );
});

it.each([
  [0, '0s'],
  [-0.0000001, '0s'],
  [0.000001, '1ns'],
  [0.0011, '1.1µs'],
  [300, '300ms'],
  [1_500, '1.5s'],
  [90_000, '1m30s'],
  [3_600_000, '1h0m0s'],
  [90_061_001, '25h1m1.001s'],
  [-60_000, '-1m0s'],
])('prints %d ms as %j', (ms, text) => {
  expect(formatGoDuration(ms)).toBe(text);
});

it('reads what it printed, to the nanosecond for eleven days', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e15, max: 1e15 }), (ns) => {
      expect(parseGoDuration(formatGoDuration(ns / 1e6))).toBe(ns / 1e6);
    }),
  );
});
