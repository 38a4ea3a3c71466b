import { describe, expect, it } from 'vitest';
import { parseFigures } from '../../../src/broker/queue-figures.ts';
import type { RedisReply } from '../../../src/redis/router.ts';

const NOW = 1_700_000_012_250;

function reply(
  fields: { pending?: number; grouped?: number | null; stamp?: string | null } = {},
): RedisReply[] {
  const { pending = 1, grouped = 7, stamp = null } = fields;
  const counters = ['5', null, '9223372036854775807', '2'].map(bytes);
  return [pending, 2, 3, 4, 5, 6, 8, grouped, bytes(stamp), 1, ...counters];
}

function bytes(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text);
}

it('reads each figure from its place; a counter that is not there is zero', () => {
  expect(parseFigures(reply(), NOW)).toEqual({
    pending: 1,
    active: 2,
    scheduled: 3,
    retry: 4,
    archived: 5,
    completed: 6,
    groups: 8,
    aggregating: 7,
    latencySeconds: undefined,
    paused: true,
    processed: 5,
    failed: 0,
    processedTotal: 2 ** 63,
    failedTotal: 2,
  });
});

it('does not know how many tasks are in too many groups', () => {
  expect(parseFigures(reply({ grouped: null }), NOW).aggregating).toBeUndefined();
});

describe('latency', () => {
  it.each([
    ['from the stamp to now', 1, '1700000000000000000', 12.25],
    ['none, although there is a stamp', 0, '1700000000000000000', 0],
    ['unknown without a stamp', 1, null, undefined],
    ['not negative, if a clock is ahead', 1, '1700000099000000000', 0],
  ])('is %s', (_, pending, stamp, latencySeconds) => {
    expect(parseFigures(reply({ pending, stamp }), NOW).latencySeconds).toBe(latencySeconds);
  });
});

it.each([[null], [[]], [[Buffer.from('x')]], [7]])('refuses a reply like %j', (odd) => {
  expect(() => parseFigures(odd, NOW)).toThrow(expect.objectContaining({ code: 'ASYNQ_REDIS_COMMAND' }));
});
