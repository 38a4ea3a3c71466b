import { InvalidArgumentError } from 'commander';
import { errorText } from '../runtime/errors.ts';
import { parseGoDuration } from '../runtime/go-duration.ts';

// How the values of flags are read; each throws InvalidArgumentError, which names the flag.

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError(`expected a whole number from 1 on, got "${text}"`);
}

/** Fractions too, in digits. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError(`expected a number above 0, got "${text}"`);
}

export function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`expected a whole number, got "${text}"`);
}

/** Seconds of a Go duration that is not negative (`1h30m`, `90s`). */
export function durationSeconds(text: string): number {
  let ms: number;
  try {
    ms = parseGoDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(errorText(error));
  }
  if (ms < 0) throw new InvalidArgumentError(`expected a duration that is not negative, got "${text}"`);
  return ms / 1000;
}

/** As `durationSeconds`, where asynq counts whole seconds and would take less than one for none. */
export function wholeSecondsDuration(text: string): number {
  const seconds = durationSeconds(text);
  if (seconds > 0 && seconds < 1) {
    throw new InvalidArgumentError(`expected a duration of 1s or more, got "${text}"`);
  }
  return seconds;
}

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** A time with its zone: `2026-11-24T18:00:00Z`. */
export function rfc3339(text: string): Date {
  const time = new Date(RFC3339.test(text) ? text : Number.NaN);
  // A day that the month does not have rolls over into the next one.
  const day = Number(text.slice(8, 10));
  const daysOfMonth = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
  if (!Number.isNaN(time.getTime()) && day <= daysOfMonth) return time;
  throw new InvalidArgumentError(`expected a time such as 2026-11-24T18:00:00Z, got "${text}"`);
}
