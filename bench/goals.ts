import {
  type CaseResult,
  idleRatios,
  median,
  type OwnResults,
  quantile,
  rateRatios,
  redisRatios,
} from './statistics.ts';

/** One figure beside its goal. */
export interface GoalResult {
  readonly name: string;
  readonly goal: string;
  readonly figure: string;
  readonly isMet: boolean;
  /** What holds the figure where it is. */
  readonly limit: string;
}

/** The lower quartile of a ratio may miss the bar by so much: cores that are shared are noisy. */
const LOWER_QUARTILE = 0.9;

const RATES = [
  { name: 'drain.c10', bar: 3 },
  { name: 'drain.c100', bar: 5 },
  { name: 'enqueue', bar: 1 },
  { name: 'enqueueMany', bar: 4 },
];

export function goalResults(cases: readonly CaseResult[], own: OwnResults): GoalResult[] {
  const byName = new Map(cases.map((each) => [each.name, each]));
  const rates = RATES.flatMap(({ name, bar }) => {
    const found = byName.get(name);
    return found === undefined ? [] : [rateGoal(found, bar)];
  });
  const drain = byName.get('drain.c100');
  return [...rates, ...(drain === undefined ? [] : redisGoals(drain)), ...ownGoals(own)];
}

function rateGoal(result: CaseResult, bar: number): GoalResult {
  const ratios = rateRatios(result);
  const low = quantile(ratios, 0.25);
  const ours = median(result.pairs.map((pair) => pair.ours.cpuMicros ?? Number.NaN));
  const redis = median(result.pairs.map((pair) => pair.ours.redisMicros));
  return {
    name: `${result.name}: rate against Go's`,
    goal: `>= ${bar}`,
    figure: `${median(ratios).toFixed(2)} (lower quartile ${low.toFixed(2)})`,
    isMet: median(ratios) >= bar && low >= LOWER_QUARTILE * bar,
    limit: `CPU a task: ${ours.toFixed(1)} us of this process, ${redis.toFixed(1)} us of the master, and its replica's`,
  };
}

function redisGoals(drain: CaseResult): GoalResult[] {
  const ours = median(drain.pairs.map((pair) => pair.ours.redisMicros));
  const limit = 'ten commands a task in the scripts, each near 1 us';
  return [
    atMost({ name: 'drain.c100: Redis time a task', figure: ours, bar: 12, unit: 'us', limit }),
    atMost({
      name: "drain.c100: Redis time against Go's",
      figure: median(redisRatios(drain)),
      bar: 0.4,
      limit,
    }),
  ];
}

function ownGoals({ pickUp, pickUpFloor, scheduled, idle }: OwnResults): GoalResult[] {
  const floor = (q: number) =>
    `the same steps with the bare driver, in turn: ${quantile(pickUpFloor, q).toFixed(2)} ms`;
  const { redis, bytes } = idleRatios(idle);
  const woken = 'each push wakes up to four workers';
  return [
    atMost({ name: 'pick-up when idle, p50', figure: median(pickUp), bar: 1, unit: 'ms', limit: floor(0.5) }),
    atMost({
      name: 'pick-up when idle, p99',
      figure: quantile(pickUp, 0.99),
      bar: 10,
      unit: 'ms',
      limit: floor(0.99),
    }),
    atMost({
      name: 'scheduled: late, p99',
      figure: quantile(scheduled, 0.99),
      bar: 100,
      unit: 'ms',
      limit: 'timers and the load of the machine',
    }),
    atMost({ name: '100 idle workers against 1: Redis time a task', figure: redis, bar: 3, limit: woken }),
    atMost({
      name: '100 idle workers against 1: bytes replicated a task',
      figure: bytes,
      bar: 2,
      limit: woken,
    }),
  ];
}

function atMost(goal: {
  name: string;
  figure: number;
  bar: number;
  unit?: string;
  limit: string;
}): GoalResult {
  const { name, figure, bar, unit, limit } = goal;
  const tail = unit === undefined ? '' : ` ${unit}`;
  return {
    name,
    goal: `<= ${bar}${tail}`,
    figure: `${figure.toFixed(2)}${tail}`,
    isMet: figure <= bar,
    limit,
  };
}
