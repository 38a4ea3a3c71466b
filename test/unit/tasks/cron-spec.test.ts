import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { type FieldsSpec, parseCronSpec } from '../../../src/tasks/cron-spec.ts';
import { anyText } from '../../support/any-text.ts';
import vectors from '../../vectors/cron.json' with { type: 'json' };

const INVALID = expect.objectContaining({ code: 'ASYNQ_CRON_SPEC_INVALID' });

function fields(spec: string): Record<string, unknown> {
  const { zone, kind: _, ...sets } = parseCronSpec(spec) as FieldsSpec;
  const lists = Object.entries(sets).map(([name, set]) => [name, set instanceof Set ? [...set] : set]);
  return { zone: zone.name, ...Object.fromEntries(lists) };
}

function outcome(spec: string): string {
  try {
    return parseCronSpec(spec).kind;
  } catch (error) {
    return AsynqError.is(error) ? error.code : String(error);
  }
}

it.each(Object.entries(vectors.errors))('refuses %j in the words of robfig/cron', (spec, message) => {
  expect(() => parseCronSpec(spec)).toThrow(
    expect.objectContaining({ code: 'ASYNQ_CRON_SPEC_INVALID', message }),
  );
});

it('reads lists, ranges, steps and names, in whatever order', () => {
  expect(fields('59,0,*/30 5/9 10-20/5,1 dec,Jan-MAR sun,FRI-sat')).toEqual({
    zone: 'UTC',
    minutes: [0, 30, 59],
    hours: [5, 14, 23],
    daysOfMonth: [1, 10, 15, 20],
    months: [1, 2, 3, 12],
    daysOfWeek: [0, 5, 6],
    anyDay: true,
  });
});

it.each([
  ['0 0 1 * *', false],
  ['0 0 1 * ?', false],
  ['0 0 * * 1', false],
  ['0 0 */1 * 1', false],
  ['0 0 */2 * 1', true],
  ['0 0 1 * 1', true],
])('takes either day in %j: %s', (spec, anyDay) => {
  expect(parseCronSpec(spec)).toMatchObject({ anyDay });
});

it('takes the zone before the spec, else the one it is given', () => {
  const zone = (spec: string) => (parseCronSpec(spec, 'Europe/Berlin') as FieldsSpec).zone.name;
  expect(zone('@daily')).toBe('Europe/Berlin');
  expect(zone('TZ=Local @daily')).toBe('Europe/Berlin');
  expect(zone('CRON_TZ=Asia/Kolkata  @daily ')).toBe('Asia/Kolkata');
  expect(zone('TZ= * * * * *')).toBe('UTC');
});

it.each(['TZ=UTC', 'TZ=+05:30 @daily', 'CRON_TZ=UTC\t* * * * *', 'TZ=Local'])(
  'does not choke on %j',
  (spec) => {
    expect(() => parseCronSpec(spec)).toThrow(INVALID);
  },
);

it('calls what is no text no spec', () => {
  expect(() => parseCronSpec(5 as unknown as string)).toThrow(INVALID);
});

it('brings a spec or the error of one, whatever the text', () => {
  const part = fc.constantFrom(
    ...'*?,-/ 0123456789@LW#\t'.split(''),
    'MON',
    'jan',
    '*/',
    '@every ',
    'TZ=UTC ',
  );
  const text = fc.oneof(
    anyText,
    fc.array(part).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (spec) => {
      expect(['every', 'fields', 'ASYNQ_CRON_SPEC_INVALID']).toContain(outcome(spec));
    }),
  );
});
