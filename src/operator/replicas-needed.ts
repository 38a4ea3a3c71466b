import type { DecisionInputs } from './decision.ts';

/** Tasks that one replica handles at once, where nothing says it and nothing was seen yet. */
export const ASSUMED_SLOTS = 10;

/**
 * The exact number of replicas that the inputs ask for, before it is rounded up.
 *
 * For a latency target: what waits must be served within what is left of the target (never less than a quarter of it, nor
 * than a worker takes to start), together with what arrives. Running tasks hold their places.
 */
export function replicasNeeded(inputs: DecisionInputs): number {
  const { waiting = 0, running = 0, soon = 0 } = inputs;
  const { targetLatencySeconds, targetTasksPerReplica = 1 } = inputs;
  const atLeast = soon > 0 ? 1 : 0;
  if (targetLatencySeconds === undefined) {
    return Math.max(atLeast, (waiting + running) / targetTasksPerReplica);
  }
  const { latencySeconds = 0, startUpSeconds = 0, arrivalsPerSecond = 0 } = inputs;
  const { slotsPerReplica = ASSUMED_SLOTS, secondsPerTask = 1 } = inputs;
  const left = Math.max(targetLatencySeconds - latencySeconds, targetLatencySeconds / 4, startUpSeconds);
  const tasksPerSecond = slotsPerReplica / secondsPerTask;
  return Math.max(atLeast, (waiting / left + arrivalsPerSecond) / tasksPerSecond, running / slotsPerReplica);
}

/**
 * The most replicas that `limits` of the queue can keep busy: so many slots as tasks may be active; and by Little's law, as
 * many tasks run as start in the time that one takes. Running tasks keep their places. Infinite where nothing is limited.
 */
export function replicasUsable(inputs: DecisionInputs): {
  readonly byConcurrency: number;
  readonly byRate: number;
} {
  const { limitConcurrency = Number.POSITIVE_INFINITY, limitRatePerSecond = Number.POSITIVE_INFINITY } =
    inputs;
  const { slotsPerReplica = ASSUMED_SLOTS, secondsPerTask = 1, running = 0 } = inputs;
  return {
    byConcurrency: limitConcurrency / slotsPerReplica,
    byRate: Math.max(limitRatePerSecond * secondsPerTask, running) / slotsPerReplica,
  };
}
