import { InvalidArgumentError } from 'commander';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  durationSeconds,
  positiveInteger,
  positiveNumber,
  rfc3339,
  wholeNumber,
  wholeSecondsDuration,
} from '../../../src/cli/flag-values.ts';

describe('values of flags', () => {
  it('are read', () => {
    expect(positiveInteger('30')).toBe(30);
    expect(positiveNumber('0.5')).toBe(0.5);
    expect(wholeNumber('0')).toBe(0);
    expect(durationSeconds('1h30m')).toBe(5_400);
    expect(durationSeconds('1.5s')).toBe(1.5);
    expect(wholeSecondsDuration('0')).toBe(0);
    expect(rfc3339('2026-11-24T18:00:00Z')).toEqual(new Date('2026-11-24T18:00:00Z'));
    expect(rfc3339('2026-11-24T18:00:00.25+01:00')).toEqual(new Date('2026-11-24T17:00:00.250Z'));
    expect(rfc3339('2028-02-29T00:00:00-03:30').toISOString()).toBe('2028-02-29T03:30:00.000Z');
  });

  it.each([
    [positiveInteger, ['0', '-1', '1.5', '', '1e3', '10000000000']],
    [positiveNumber, ['0', '0.0', '-1', '.5', '1e3', '', '1/s']],
    [wholeNumber, ['-1', 'x', '']],
    [durationSeconds, ['90', '-1s', '1 h', '', 'soon']],
    [wholeSecondsDuration, ['500ms', '1ns', '-2s']],
    [
      rfc3339,
      ['2026-11-24', '2026-11-24T18:00:00', '2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', 'now', ''],
    ],
  ])('are refused by %o', (read, texts) => {
    for (const text of texts) expect(() => read(text)).toThrow(InvalidArgumentError);
  });

  it('are refused in no other way, whatever they are', () => {
    const likely = fc.string({ unit: fc.constantFrom(...Array.from('0123456789-+:.TZhmsµ \u0000ñ')) });
    fc.assert(
      fc.property(
        fc.oneof(likely, fc.string({ unit: 'binary' })),
        fc.constantFrom(
          positiveInteger,
          positiveNumber,
          wholeNumber,
          durationSeconds,
          wholeSecondsDuration,
          rfc3339,
        ),
        (text, read) => {
          expect(endsWell(() => read(text))).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

function endsWell(read: () => unknown): boolean {
  try {
    return !Number.isNaN(Number(read()));
  } catch (error) {
    return error instanceof InvalidArgumentError;
  }
}
