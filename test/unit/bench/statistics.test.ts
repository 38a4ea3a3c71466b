import { expect, test } from 'vitest';
import { reportJson } from '../../../bench/report.ts';
import { type CaseResult, median, quantile, rateRatios } from '../../../bench/statistics.ts';

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

test('the JSON line names the median ratio of each case, and of its Redis time', () => {
  expect(JSON.parse(reportJson([RESULT]))).toMatchObject({
    ratios: { 'drain.c10': 3, 'drain.c10.redis': 0.3 },
  });
});
