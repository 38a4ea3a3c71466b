import { AsynqError, errorText } from '../runtime/errors.ts';
import { parseGoDuration } from '../runtime/go-duration.ts';
import { goQuote } from '../runtime/go-quote.ts';
import { TimeZone } from './time-zone.ts';

/** When something happens again and again. */
export type CronSpec = EverySpec | FieldsSpec;

/** `@every 90s`: at whole seconds, so many apart. */
export interface EverySpec {
  readonly kind: 'every';
  readonly seconds: number;
  /** Counted from 1970, so that all who have the spec come to the same times; else from the moment it is asked in. */
  readonly aligned?: boolean;
}

/** Whenever the clocks of the zone show a minute whose fields are all among these, which are in order. */
export interface FieldsSpec {
  readonly kind: 'fields';
  readonly zone: TimeZone;
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly daysOfMonth: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly daysOfWeek: ReadonlySet<number>;
  /** Both days were restricted: one of them matching is enough. */
  readonly anyDay: boolean;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MINUTES: Bounds = { min: 0, max: 59 };
const HOURS: Bounds = { min: 0, max: 23 };
const DAYS_OF_MONTH: Bounds = { min: 1, max: 31 };
const MONTHS: Bounds = {
  min: 1,
  max: 12,
  names: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' '),
};
const DAYS_OF_WEEK: Bounds = { min: 0, max: 6, names: 'sun mon tue wed thu fri sat'.split(' ') };

const DESCRIPTORS: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

const EVERY = '@every ';
const MAX_INT64 = 2n ** 63n - 1n;

/**
 * Reads a cron spec as Go's robfig/cron v3 does (`ParseStandard`), which asynq uses: five fields (minute, hour, day of
 * month, month, day of week) of `*`, `?`, numbers, names, ranges, steps and lists; `@daily` and its like; `@every 1h30m`;
 * before them, if wanted, `CRON_TZ=Europe/Berlin ` or `TZ=...`. `location` is the zone of specs that name none.
 *
 * @throws ASYNQ_CRON_SPEC_INVALID in robfig's words
 */
export function parseCronSpec(spec: string, location = 'UTC'): CronSpec {
  if (typeof spec !== 'string') throw invalid(`expected a cron spec as text, got ${typeof spec}`);
  if (spec === '') throw invalid('empty spec string');
  const [prefix, name] = /^(?:CRON_)?TZ=([^ ]*)/.exec(spec) ?? ['', location];
  const zone = zoneOf(name, location);
  const rest = prefix === '' ? spec : spec.slice(prefix.length).trim();
  if (rest.startsWith(EVERY)) return everySpec(rest);
  const text = rest.startsWith('@') ? DESCRIPTORS.get(rest) : rest;
  if (text === undefined) throw invalid(`unrecognized descriptor: ${rest}`);
  return fieldsSpec(text, zone);
}

/** Go's names for a zone: nothing is UTC, `Local` the one of the scheduler. */
function zoneOf(name: string, location: string): TimeZone {
  const zone = TimeZone.named(name === '' ? 'UTC' : name === 'Local' ? location : name);
  if (zone !== undefined) return zone;
  const isPath = name.includes('..') || /^[/\\]/.test(name);
  const why = isPath ? 'time: invalid location name' : `unknown time zone ${name}`;
  throw invalid(`provided bad location ${name}: ${why}`);
}

function everySpec(descriptor: string): EverySpec {
  try {
    const ms = parseGoDuration(descriptor.slice(EVERY.length));
    return { kind: 'every', seconds: Math.max(1, Math.floor(ms / 1000)) };
  } catch (cause) {
    throw invalid(`failed to parse duration ${descriptor}: ${errorText(cause)}`, cause);
  }
}

function fieldsSpec(text: string, zone: TimeZone): FieldsSpec {
  const fields = text.split(/\p{White_Space}+/u).filter(Boolean);
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = fields;
  if (fields.length !== 5) {
    throw invalid(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  }
  // In this order, so that of several errors the same one is told as in Go.
  const minutes = fieldOf(minute, MINUTES);
  const hours = fieldOf(hour, HOURS);
  const daysOfMonth = fieldOf(dayOfMonth, DAYS_OF_MONTH);
  const months = fieldOf(month, MONTHS);
  const daysOfWeek = fieldOf(dayOfWeek, DAYS_OF_WEEK);
  return {
    kind: 'fields',
    zone,
    minutes: minutes.values,
    hours: hours.values,
    daysOfMonth: daysOfMonth.values,
    months: months.values,
    daysOfWeek: daysOfWeek.values,
    anyDay: !daysOfMonth.isStar && !daysOfWeek.isStar,
  };
}

interface Field {
  readonly values: ReadonlySet<number>;
  /** A star without a step is in it. */
  readonly isStar: boolean;
}

function fieldOf(text: string, bounds: Bounds): Field {
  const ranges = text
    .split(',')
    .filter(Boolean)
    .map((range) => rangeOf(range, bounds));
  const values = ranges.flatMap((range) => [...range.values]);
  return {
    values: new Set(values.toSorted((a, b) => a - b)),
    isStar: ranges.some(({ isStar }) => isStar),
  };
}

/** `*`, `?`, `a`, `a-b`, each with `/step` behind it if wanted; `a/step` goes from a to the end. */
function rangeOf(text: string, bounds: Bounds): Field {
  const [range = '', stepText, ...moreSteps] = text.split('/');
  const [low = '', high, ...moreHyphens] = range.split('-');
  const isStar = low === '*' || low === '?';
  if (!isStar && moreHyphens.length > 0) throw invalid(`too many hyphens: ${text}`);
  const start = isStar ? BigInt(bounds.min) : numberOf(low, bounds);
  let end = isStar ? BigInt(bounds.max) : high === undefined ? start : numberOf(high, bounds);
  if (moreSteps.length > 0) throw invalid(`too many slashes: ${text}`);
  const step = stepText === undefined ? 1n : integer(stepText);
  if (stepText !== undefined && high === undefined) end = BigInt(bounds.max);

  const { min, max } = bounds;
  if (start < min) throw invalid(`beginning of range (${start}) below minimum (${min}): ${text}`);
  if (end > max) throw invalid(`end of range (${end}) above maximum (${max}): ${text}`);
  if (start > end) throw invalid(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0n) throw invalid(`step of range should be a positive number: ${text}`);
  const values = new Set<number>();
  for (let value = start; value <= end; value += step) values.add(Number(value));
  return { values, isStar: isStar && step === 1n };
}

function numberOf(text: string, { min, names = [] }: Bounds): bigint {
  const index = names.indexOf(text.toLowerCase());
  return index === -1 ? integer(text) : BigInt(min + index);
}

function integer(text: string): bigint {
  const refuse = (why: string) =>
    invalid(`failed to parse int from ${text}: strconv.Atoi: parsing ${goQuote(text)}: ${why}`);
  if (!/^[+-]?\d+$/.test(text)) throw refuse('invalid syntax');
  const value = BigInt(text.replace(/^\+/, ''));
  if (value > MAX_INT64 || value < -MAX_INT64 - 1n) throw refuse('value out of range');
  if (value < 0n) throw invalid(`negative number (${value}) not allowed: ${text}`);
  return value;
}

function invalid(message: string, cause?: unknown): AsynqError {
  return new AsynqError('ASYNQ_CRON_SPEC_INVALID', message, cause === undefined ? {} : { cause });
}
