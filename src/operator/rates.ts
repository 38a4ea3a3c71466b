/**
 * How fast a queue fills and how long its tasks take, learned from two readings after the other.
 *
 * Arrivals are an exponentially weighted mean. Tasks are not followed one by one: what was started and what ended is
 * matched first in, first out. By Little's law the mean time is right whatever the order was, for busy and for half idle
 * workers alike. Older evidence fades with time or with newer completions, whichever is slower: slow tasks keep enough
 * of it, and fast ones do not lean on one second.
 */
export interface Rates {
  /** When the queue was read, Unix milliseconds of its owner. */
  readonly at: number;
  /** Lifetime completions then, failed ones too. */
  readonly processed: number;
  /** Tasks that waited or ran then. */
  readonly inside: number;
  readonly arrivalsPerSecond: number;
  readonly times: TaskTimes;
  /** Tasks that one replica handles at once, as seen while tasks waited; undefined: not seen yet. */
  readonly slotsPerReplica: number | undefined;
}

export interface TaskTimes {
  /** Weighted number of completions, and the seconds that they took. */
  readonly completions: number;
  readonly seconds: number;
  /** When the weights last faded, Unix milliseconds. */
  readonly fadedAt: number;
  /** Running tasks by the time of their start, oldest first. */
  readonly started: readonly Started[];
}

interface Started {
  readonly at: number;
  readonly tasks: number;
}

export interface RateSample {
  readonly at: number;
  readonly processed: number;
  readonly waiting: number;
  readonly running: number;
  readonly readyReplicas: number;
  /** Limits of the queue may leave slots free although tasks wait. */
  readonly isLimited?: boolean;
}

const ARRIVALS_HORIZON_SECONDS = 30;
const COMPLETIONS_HORIZON = { seconds: 60, tasks: 50 };
/** One imagined task of one second: what is believed before anything was seen, and soon outweighed. */
const PRIOR = { completions: 1, seconds: 1 };
/** Readings further apart say nothing about rates. */
const LONGEST_GAP_SECONDS = 300;
/** Readings closer together are one: their counters move in jumps. */
const SHORTEST_GAP_SECONDS = 0.2;
/** Start times that are told apart. */
const MOST_STARTED = 32;

/** What one reading alone says. */
export function firstRates({ at, processed, waiting, running }: RateSample): Rates {
  return {
    at,
    processed,
    inside: waiting + running,
    arrivalsPerSecond: 0,
    times: { completions: 0, seconds: 0, fadedAt: at, started: startedAt(at, running) },
    slotsPerReplica: undefined,
  };
}

/** The rates after `sample`. Counters that ran backwards (a flushed queue, a failover) start a new count. */
export function learn(rates: Rates, sample: RateSample): Rates {
  const { at, processed, waiting, running } = sample;
  const seconds = (at - rates.at) / 1000;
  if (seconds >= 0 && seconds < SHORTEST_GAP_SECONDS) return rates;
  const done = processed - rates.processed;
  const inside = waiting + running;
  const seen = { at, processed, inside };
  if (seconds < 0 || seconds > LONGEST_GAP_SECONDS || done < 0) {
    return { ...rates, ...seen, times: { ...rates.times, fadedAt: at, started: startedAt(at, running) } };
  }
  const arrived = Math.max(0, inside - rates.inside + done);
  return {
    ...seen,
    arrivalsPerSecond: fadeTowards(rates.arrivalsPerSecond, arrived / seconds, seconds),
    times: learnTimes(rates.times, running, done, at, at - (seconds * 1000) / 2),
    slotsPerReplica: learnSlots(rates.slotsPerReplica, sample, seconds),
  };
}

/**
 * Seconds that a task spends in a worker. Tasks that have not finished raise it once they take longer than was known: as
 * much as if all of them ended now, so a task that hangs never makes it endless.
 */
export function secondsPerTask({ at, times }: Pick<Rates, 'at' | 'times'>): number {
  const completions = times.completions + PRIOR.completions;
  const seconds = times.seconds + PRIOR.seconds;
  const running = sum(times.started, ({ tasks }) => tasks);
  const ages = sum(times.started, (it) => (it.tasks * (at - it.at)) / 1000);
  return Math.max(seconds / completions, (seconds + ages) / (completions + running));
}

/** Starts and ends between two readings count as of the middle between them. */
function learnTimes(times: TaskTimes, running: number, done: number, at: number, middle: number): TaskTimes {
  const before = sum(times.started, ({ tasks }) => tasks);
  const starts = Math.max(0, running + done - before);
  const queue = [...times.started, ...startedAt(middle, starts)];
  const [ended, open] = splitOff(queue, done);
  // Tasks that left without an end (a worker died, somebody deleted them) are the oldest there are.
  const [, started] = splitOff(open, Math.max(0, before + starts - done - running));
  if (done === 0) return { ...times, started: merged(started) };
  const fade = Math.exp(
    -Math.min(done / COMPLETIONS_HORIZON.tasks, (at - times.fadedAt) / 1000 / COMPLETIONS_HORIZON.seconds),
  );
  return {
    completions: times.completions * fade + done,
    seconds: times.seconds * fade + sum(ended, (it) => (it.tasks * (middle - it.at)) / 1000),
    fadedAt: at,
    started: merged(started),
  };
}

/** The oldest `count` tasks, and the rest. */
function splitOff(queue: readonly Started[], count: number): readonly [Started[], Started[]] {
  const taken: Started[] = [];
  const rest: Started[] = [];
  let left = count;
  for (const { at, tasks } of queue) {
    const now = Math.min(left, tasks);
    left -= now;
    if (now > 0) taken.push({ at, tasks: now });
    if (tasks > now) rest.push({ at, tasks: tasks - now });
  }
  return [taken, rest];
}

/** The same tasks in few enough entries: neighbours become one with their mean start. */
function merged(queue: readonly Started[]): readonly Started[] {
  if (queue.length <= MOST_STARTED) return queue;
  const pairs: Started[] = [];
  for (let i = 0; i < queue.length; i += 2) {
    const pair = queue.slice(i, i + 2);
    const tasks = sum(pair, (it) => it.tasks);
    pairs.push({ at: sum(pair, (it) => it.at * it.tasks) / tasks, tasks });
  }
  return pairs;
}

function startedAt(at: number, tasks: number): readonly Started[] {
  return tasks === 0 ? [] : [{ at, tasks }];
}

function learnSlots(old: number | undefined, sample: RateSample, seconds: number): number | undefined {
  if (sample.waiting === 0 || sample.running === 0 || sample.readyReplicas === 0) return old;
  const seen = sample.running / sample.readyReplicas;
  if (sample.isLimited === true && seen <= (old ?? Number.POSITIVE_INFINITY)) return old;
  return old === undefined ? seen : fadeTowards(old, seen, seconds);
}

function fadeTowards(old: number, seen: number, seconds: number): number {
  return old + (seen - old) * -Math.expm1(-seconds / ARRIVALS_HORIZON_SECONDS);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
