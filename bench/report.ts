import { renderTable } from '../src/cli/table.ts';
import { type CaseResult, median, quantile, rateRatios, redisRatios } from './statistics.ts';

const HEADERS = [
  'Case',
  'Ours/s',
  'Go/s',
  'Ratio',
  'Lower quartile',
  'Redis us/task',
  "Go's Redis us/task",
  'Redis ratio',
];

/** Medians over the pairs; a ratio is the median of the pairs' ratios. */
export function reportTable(results: readonly CaseResult[]): string {
  return renderTable(HEADERS, results.map(row));
}

function row(result: CaseResult): string[] {
  const { name, pairs } = result;
  const ratios = rateRatios(result);
  return [
    name,
    median(pairs.map(({ ours }) => ours.tasksPerSecond)).toFixed(0),
    median(pairs.map(({ go }) => go.tasksPerSecond)).toFixed(0),
    median(ratios).toFixed(2),
    quantile(ratios, 0.25).toFixed(2),
    median(pairs.map(({ ours }) => ours.redisMicros)).toFixed(1),
    median(pairs.map(({ go }) => go.redisMicros)).toFixed(1),
    median(redisRatios(result)).toFixed(2),
  ];
}

/** The one line of `--output json`: medians of the ratios by case (`<case>.redis`: of Redis time per task), and all pairs. */
export function reportJson(results: readonly CaseResult[]): string {
  const ratios = results.flatMap((result): [string, number][] => [
    [result.name, rounded(median(rateRatios(result)))],
    [`${result.name}.redis`, rounded(median(redisRatios(result)))],
  ]);
  const measured = results.map((result): [string, object] => [result.name, result.pairs]);
  return JSON.stringify({ ratios: Object.fromEntries(ratios), pairs: Object.fromEntries(measured) });
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
