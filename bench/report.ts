import { renderTable } from '../src/cli/table.ts';
import { type GoalResult, goalResults } from './goals.ts';
import type { Latencies } from './latency.ts';
import {
  type CaseResult,
  histogram,
  idleRatios,
  median,
  type OwnResults,
  quantile,
  rateRatios,
  redisRatios,
} from './statistics.ts';

const RATE_HEADERS = [
  'Case',
  'Ours/s',
  'Go/s',
  'Ratio',
  'Lower quartile',
  'CPU us/task',
  'Redis us/task',
  "Go's Redis us/task",
  'Redis ratio',
];

const QUANTILES = { p50: 0.5, p90: 0.9, p99: 0.99, 'p99.9': 0.999 };

/** Milliseconds. */
const BOUNDS = [1, 2, 5, 10, 20, 50, 100, 200];

/** Medians over the pairs; a ratio is the median of the pairs' ratios. */
export function reportTables(cases: readonly CaseResult[], own: OwnResults): string {
  const tables = [
    renderTable(RATE_HEADERS, cases.map(rateRow)),
    renderTable(['Latency, ms', ...Object.keys(QUANTILES)], latenciesOf(own).map(latencyRow)),
    renderTable(['Open loop, ms', 'Tasks'], histogramRows(own.openLoop)),
    renderTable(['Goal', 'Bar', 'Figure', 'Met', 'Limited by'], goalResults(cases, own).map(goalRow)),
  ];
  return tables.join('\n');
}

function rateRow(result: CaseResult): string[] {
  const { name, pairs } = result;
  const ratios = rateRatios(result);
  return [
    name,
    median(pairs.map(({ ours }) => ours.tasksPerSecond)).toFixed(0),
    median(pairs.map(({ go }) => go.tasksPerSecond)).toFixed(0),
    median(ratios).toFixed(2),
    quantile(ratios, 0.25).toFixed(2),
    median(pairs.map(({ ours }) => ours.cpuMicros ?? Number.NaN)).toFixed(1),
    median(pairs.map(({ ours }) => ours.redisMicros)).toFixed(1),
    median(pairs.map(({ go }) => go.redisMicros)).toFixed(1),
    median(redisRatios(result)).toFixed(2),
  ];
}

function latenciesOf(own: OwnResults): [string, Latencies][] {
  return [
    ['pickUp', own.pickUp],
    ['pickUpFloor', own.pickUpFloor],
    ['scheduled', own.scheduled],
    ['openLoop', own.openLoop],
  ];
}

function latencyRow([name, latencies]: [string, Latencies]): string[] {
  return [name, ...Object.values(QUANTILES).map((q) => quantile(latencies, q).toFixed(2))];
}

function histogramRows(latencies: Latencies): string[][] {
  return histogram(latencies, BOUNDS).map((count, at) => {
    const below = BOUNDS[at];
    return [below === undefined ? 'more' : `< ${below}`, String(count)];
  });
}

function goalRow({ name, goal, figure, isMet, limit }: GoalResult): string[] {
  return [name, goal, figure, isMet ? 'yes' : 'no', limit];
}

/**
 * The one line of `--output json`. `ratios`: medians by case (`<case>.redis`: of Redis time per task), and what 100 idle
 * workers cost over one; `latencies`: milliseconds; `goals`; and all that was measured.
 */
export function reportJson(cases: readonly CaseResult[], own: OwnResults): string {
  const ratios = cases.flatMap((result): [string, number][] => [
    [result.name, median(rateRatios(result))],
    [`${result.name}.redis`, median(redisRatios(result))],
  ]);
  const { redis, bytes } = idleRatios(own.idle);
  ratios.push(['idleWorkers.redis', redis], ['idleWorkers.bytes', bytes]);
  return JSON.stringify({
    ratios: rounded(ratios),
    latencies: Object.fromEntries(
      latenciesOf(own).map(([name, latencies]) => [name, quantilesOf(latencies)]),
    ),
    goals: goalResults(cases, own),
    pairs: Object.fromEntries(cases.map(({ name, pairs }) => [name, pairs])),
    own,
  });
}

function quantilesOf(latencies: Latencies): Record<string, number> {
  return rounded(Object.entries(QUANTILES).map(([name, q]) => [name, quantile(latencies, q)]));
}

function rounded(values: readonly (readonly [string, number])[]): Record<string, number> {
  return Object.fromEntries(values.map(([name, value]) => [name, Number(value.toFixed(3))]));
}
