import { AsynqError } from './errors.ts';

/** Nanoseconds of each unit; the two micro signs are two characters. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['\u00b5s', 1e3],
  ['\u03bcs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
]);

/** Go counts nanoseconds in an int64. */
const MAX_NS = 2n ** 63n - 1n;

/** A number, which may lack the digits on one side of its point, and a unit; the parts of a duration. */
const PART = /(\d*)(?:\.(\d*))?([^\d.]*)/y;

/**
 * Milliseconds of a Go duration such as `1h30m`, `1.5s`, `300ms` or `-2h` (Go `time.ParseDuration`).
 *
 * @throws ASYNQ_OPTION_INVALID in Go's words: `time: invalid duration "x"`
 */
export function parseGoDuration(text: string): number {
  const unsigned = text.replace(/^[+-]/, '');
  if (unsigned === '0') return 0;
  const isNegative = text.startsWith('-');
  let ns = 0n;
  PART.lastIndex = 0;
  do {
    const [all = '', whole = '', fraction = '', unit = ''] = PART.exec(unsigned) ?? [];
    if (all === '' || whole + fraction === '') throw invalid('invalid', text);
    if (unit === '') throw invalid('missing unit in', text);
    const unitNs = UNITS.get(unit);
    if (unitNs === undefined) throw invalid(`unknown unit ${quoted(unit)} in`, text);
    ns += BigInt(whole) * BigInt(unitNs) + fractionNs(fraction, unitNs);
    if (ns > MAX_NS + (isNegative ? 1n : 0n)) throw invalid('invalid', text);
  } while (PART.lastIndex < unsigned.length);
  const ms = Number(ns) / 1e6;
  return isNegative ? -ms : ms;
}

/** The duration as Go prints it, as exact as milliseconds hold it: `1m30s`, `1h0m0s`, `1.5s`, `300ms` (Go `Duration.String`). */
export function formatGoDuration(ms: number): string {
  const ns = BigInt(Math.round(Math.abs(ms) * 1e6));
  const sign = ms < 0 && ns > 0n ? '-' : '';
  if (ns === 0n) return '0s';
  if (ns < 1_000n) return `${sign}${ns}ns`;
  if (ns < 1_000_000n) return `${sign}${decimal(ns, 3)}\u00b5s`;
  if (ns < 1_000_000_000n) return `${sign}${decimal(ns, 6)}ms`;
  const minutes = ns / 60_000_000_000n;
  const hours = minutes / 60n;
  const seconds = `${decimal(ns % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return sign + seconds;
  return hours === 0n ? `${sign}${minutes}m${seconds}` : `${sign}${hours}h${minutes % 60n}m${seconds}`;
}

/** In floating point, as Go has it, so that the last digit is the same. Digits that an int64 cannot hold are dropped. */
function fractionNs(digits: string, unitNs: number): bigint {
  let [value, scale] = [0n, 1];
  for (const digit of digits) {
    const longer = value * 10n + BigInt(digit);
    if (longer > MAX_NS + 1n) break;
    value = longer;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (unitNs / scale)));
}

/** The number with its last `places` digits behind a point, as few as it takes. */
function decimal(value: bigint, places: number): string {
  const digits = String(value).padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  return digits.slice(0, -places) + (fraction === '' ? '' : `.${fraction}`);
}

function invalid(what: string, text: string): AsynqError {
  return new AsynqError('ASYNQ_OPTION_INVALID', `time: ${what} duration ${quoted(text)}`);
}

/** As package time quotes: what is not printable ASCII byte for byte. */
function quoted(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => {
    if (byte < 0x20 || byte >= 0x80) return `\\x${byte.toString(16).padStart(2, '0')}`;
    const char = String.fromCharCode(byte);
    return char === '"' || char === '\\' ? `\\${char}` : char;
  });
  return `"${bytes.join('')}"`;
}
