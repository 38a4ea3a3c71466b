import { expect, test } from 'vitest';
import { goalResults } from '../../../bench/goals.ts';
import { reportJson } from '../../../bench/report.ts';
import {
  type CaseResult,
  histogram,
  median,
  type OwnResults,
  quantile,
  rateRatios,
} from '../../../bench/statistics.ts';

const measured = (tasksPerSecond: number, redisMicros: number) => ({ tasksPerSecond, redisMicros });

const RESULT: CaseResult = {
  name: 'drain.c10',
  pairs: [
    { ours: measured(3000, 10), go: measured(1000, 40) },
    { ours: measured(8000, 12), go: measured(2000, 40) },
    { ours: measured(4000, 14), go: measured(2000, 40) },
  ],
};

test('a quantile lies between its neighbours by their distance', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([4, 1, 3, 2], 0)).toBe(1);
  expect(quantile([4, 1, 3, 2], 1)).toBe(4);
  expect(median([7])).toBe(7);
});

test('ratios are taken pair by pair', () => {
  expect(rateRatios(RESULT)).toEqual([3, 4, 2]);
});

const OWN: OwnResults = {
  pickUp: [0.5, 0.5, 40],
  pickUpFloor: [0.4, 0.4, 30],
  scheduled: [3, 9],
  openLoop: [1, 2, 3],
  idle: {
    one: { redisMicros: 200, replicatedBytes: 1_000 },
    many: { redisMicros: 500, replicatedBytes: 3_000 },
  },
};

test('a histogram counts up to each bound, and what is beyond', () => {
  expect(histogram([0.5, 1, 1.9, 2, 70], [1, 2, 5])).toEqual([1, 2, 1, 1]);
});

test('the JSON line names the median ratio of each case, and of its Redis time, and of idle workers', () => {
  expect(JSON.parse(reportJson([RESULT], OWN))).toMatchObject({
    ratios: { 'drain.c10': 3, 'drain.c10.redis': 0.3, 'idleWorkers.redis': 2.5, 'idleWorkers.bytes': 3 },
    latencies: { pickUp: { p50: 0.5 } },
  });
});

test('a goal says whether it is met, and what limits it', () => {
  const goals = goalResults([RESULT], OWN).map(({ name, isMet }) => [name, isMet]);
  expect(goals).toEqual([
    ["drain.c10: rate against Go's", false],
    ['pick-up when idle, p50', true],
    ['pick-up when idle, p99', false],
    ['scheduled: late, p99', true],
    ['100 idle workers against 1: Redis time a task', true],
    ['100 idle workers against 1: bytes replicated a task', false],
  ]);
  expect(goalResults([RESULT], OWN)[1]?.limit).toContain('0.40 ms');
});

test('a rate meets its goal when its lower quartile nearly does too', () => {
  const [steady] = goalResults([{ ...RESULT, pairs: RESULT.pairs.slice(1) }], OWN);
  expect(steady).toMatchObject({ isMet: false, figure: '3.00 (lower quartile 2.50)' });
  const [good] = goalResults([{ ...RESULT, pairs: RESULT.pairs.slice(0, 2) }], OWN);
  expect(good).toMatchObject({ isMet: true, figure: '3.50 (lower quartile 3.25)' });
});
