import { expect, test } from 'vitest';
import { parseObservation } from '../../../src/broker/observation.ts';

const node = { id: 'a', addr: 'h:1' };
const location = { slot: 2788, master: node, replicas: [] };

test('the answer of a queue at rest', () => {
  expect(parseObservation(Buffer.from('1700000000 250000 1 70 7 3 4'), location)).toEqual({
    at: 1_700_000_000_250,
    keySlot: 2788,
    node,
    replicas: [],
    paused: true,
    size: { pending: 0, active: 0, scheduled: 0, retry: 0, archived: 3, completed: 4, aggregating: 0 },
    groups: 0,
    latencySeconds: 0,
    clockSkew: false,
    due: 0,
    soon: 0,
    nextDue: undefined,
    orphaned: 0,
    ghosts: 0,
    readyGroups: 0,
    processed: 70,
    failed: 7,
  });
});

test('the answer of a busy queue', () => {
  const reply = '1700000000 0 0 70 7 3 4 10 11 12 13 14 2 1699999990500000000 1 15 16 1700000060 17 18 19';
  expect(parseObservation(Buffer.from(reply), location)).toMatchObject({
    paused: false,
    size: { pending: 10, active: 11, scheduled: 12, retry: 13, archived: 3, completed: 4, aggregating: 14 },
    groups: 2,
    latencySeconds: 9.5,
    clockSkew: true,
    due: 15,
    soon: 16,
    nextDue: 1_700_000_060,
    orphaned: 17,
    ghosts: 18,
    readyGroups: 19,
  });
});

test.each([
  ['1700000000 0 0 70 7 3 4 5 - 1 42', { concurrency: 5, owner: 'operator', started: 42 }],
  [
    '1700000000 0 0 70 7 3 4 10 11 12 13 14 2 - 1 15 16 - 17 18 19 3 0.5 0 0',
    { concurrency: 3, ratePerSecond: 0.5, owner: 'hand', started: 0 },
  ],
])('limits come last: %s', (reply, limits) => {
  expect(parseObservation(Buffer.from(reply), location).limits).toEqual(limits);
});

test.each(['', '1700000000 0 0 70 7 3', 'OK', 'nil nil'])('%j is no answer, not an empty queue', (text) => {
  expect(() => parseObservation(Buffer.from(text), location)).toThrow(
    expect.objectContaining({ code: 'ASYNQ_REDIS_COMMAND' }),
  );
});
