import type { QueueSnapshot } from '../broker/queue-reader.ts';
import { type AsynqQueueSpec, type Limiter, type Target, targetOf } from './asynq-queue.ts';
import {
  type Decision,
  type DecisionInputs,
  type DecisionReason,
  type History,
  type LimiterName,
  type Observation,
  withoutGap,
} from './decision.ts';
import { type Demand, demandOf, oldGhosts, trackGhosts } from './demand.ts';
import type { FleetState } from './ends.ts';
import { firstRates, learn, secondsPerTask } from './rates.ts';
import { ASSUMED_SLOTS, replicasNeeded, replicasUsable } from './replicas-needed.ts';
import { recommend, stabilized, tolerated } from './scaling-window.ts';
import { median, notStartingCap, startUpOverdue } from './start-up.ts';

/**
 * How many workers a queue shall have: a value of the spec, of what is seen, of what was remembered and of the time. The
 * same function scales, observes, explains and simulates.
 *
 * A number is proposed from the demand, then goes through limiters one by one; each that changed it is named with the
 * number before and after. Unknown is not zero: while Redis cannot be read nothing is lowered, and the time does not
 * count as time without demand. `minReplicas` and `maxReplicas` have the last word.
 */
export function decide(
  spec: AsynqQueueSpec,
  observation: Observation,
  history: History,
  now: number,
): Decision {
  const { reading, fleet } = observation;
  const past = withoutGap(history, now);
  const decision =
    reading.kind === 'known'
      ? decideKnown(spec, reading.snapshot, fleet, past, now)
      : decideUnknown(spec, fleet, past, now);
  return spec.scaling.mode === 'Hold'
    ? { ...decision, desired: fleet.replicas, reason: 'Held', limiters: [] }
    : decision;
}

function decideUnknown(spec: AsynqQueueSpec, fleet: FleetState, history: History, now: number): Decision {
  const { replicas } = fleet;
  const { onUnknown, unknownReplicas = 0, minReplicas, maxReplicas } = spec.scaling;
  const atLeast = onUnknown === 'AtLeast' ? unknownReplicas : 0;
  const overdue = startUpOverdue(fleet, now);
  const { desired, limiters } = through(replicas, [
    ['UnknownReplicas', (n) => Math.max(n, atLeast)],
    ['WorkersNotStarting', (n) => (overdue ? Math.min(n, Math.max(replicas, 1)) : n)],
    ['MaxReplicas', (n) => Math.min(n, maxReplicas)],
    ['MinReplicas', (n) => Math.max(n, minReplicas)],
  ]);
  return {
    desired,
    reason: 'RedisUnknown',
    inputs: { replicas, readyReplicas: fleet.readyReplicas },
    limiters,
    history: {
      ...history,
      followedUntil: now,
      lastDemandAt: now,
      recommendations: recommend(history.recommendations, replicas, now),
    },
  };
}

function decideKnown(
  spec: AsynqQueueSpec,
  snapshot: QueueSnapshot,
  fleet: FleetState,
  history: History,
  now: number,
): Decision {
  const target = targetOf(spec.scaling);
  const { minReplicas, maxReplicas, scaleToZeroAfterSeconds } = spec.scaling;
  const { replicas, readyReplicas } = fleet;

  const ghosts = trackGhosts(history.ghosts, snapshot.ghosts, now);
  const stale = oldGhosts(ghosts, now);
  const seen = demandOf(snapshot, stale);
  const { at, processed } = snapshot;
  const sample = { ...seen, at, processed, readyReplicas, isLimited: snapshot.limits !== undefined };
  const limits = spec.limits ?? snapshot.limits;
  const rates = history.rates === undefined ? firstRates(sample) : learn(history.rates, sample);
  const paused = spec.paused ?? snapshot.paused;
  const demand = paused ? { ...seen, waiting: 0, soon: 0 } : seen;
  const awake = demand.waiting + demand.running + demand.soon > 0;
  const lastDemandAt = awake ? now : Math.min(now, history.lastDemandAt ?? now);
  const idleSeconds = (now - lastDemandAt) / 1000;

  const inputs = shown({
    ...demand,
    latencySeconds: paused ? 0 : snapshot.latencySeconds,
    arrivalsPerSecond: paused ? 0 : rates.arrivalsPerSecond,
    secondsPerTask: secondsPerTask(rates),
    slotsPerReplica: spec.worker?.concurrency ?? rates.slotsPerReplica ?? ASSUMED_SLOTS,
    startUpSeconds: median(fleet.startupSeconds),
    idleSeconds,
    replicas,
    readyReplicas,
    paused: paused ? 1 : undefined,
    ghosts: stale > 0 ? stale : undefined,
    limitConcurrency: limits?.concurrency,
    limitRatePerSecond: limits?.ratePerSecond,
    ...(target.kind === 'latency'
      ? { targetLatencySeconds: target.seconds }
      : { targetTasksPerReplica: target.perReplica }),
  });

  const asked = awake ? replicasNeeded(inputs) : 0;
  const { byConcurrency, byRate } = replicasUsable(inputs);
  const needed = Math.min(asked, byConcurrency, byRate);
  const wanted = tolerated(replicas, needed, Math.ceil(needed));
  const recommended = inputs['latencySeconds'] === undefined ? Math.max(wanted, replicas) : wanted;
  const past = history.recommendations.length > 0 ? history.recommendations : [{ at: now, replicas }];
  const recommendations = recommend(past, recommended, now);
  const mayEmpty = minReplicas === 0 && (replicas === 0 || idleSeconds >= scaleToZeroAfterSeconds);
  const overdue = startUpOverdue(fleet, now);

  const { desired, limiters } = through(Math.ceil(asked), [
    ['QueueConcurrency', (n) => Math.min(n, Math.ceil(byConcurrency))],
    ['QueueRate', (n) => Math.min(n, Math.ceil(byRate))],
    ['Tolerance', () => wanted],
    ['LatencyUnknown', () => recommended],
    ['ScaleToZeroAfter', (n) => (n === 0 && minReplicas === 0 && !mayEmpty ? 1 : n)],
    ['StabilizationWindow', (n) => (n === 0 && mayEmpty ? 0 : stabilized(replicas, recommendations, n))],
    ['WorkersNotStarting', (n) => (overdue ? Math.min(n, notStartingCap(fleet)) : n)],
    ['MaxReplicas', (n) => Math.min(n, maxReplicas)],
    ['MinReplicas', (n) => Math.max(n, minReplicas)],
  ]);
  return {
    desired,
    reason: reasonOf(demand, paused, awake, desired, target),
    inputs,
    limiters,
    history: { followedUntil: now, rates, ghosts, lastDemandAt, recommendations },
  };
}

function reasonOf(
  demand: Demand,
  paused: boolean,
  awake: boolean,
  desired: number,
  target: Target,
): DecisionReason {
  if (paused) return 'Paused';
  if (!awake) return desired === 0 ? 'Asleep' : 'Idle';
  if (demand.waiting + demand.running === 0) return 'DueSoon';
  return target.kind === 'latency' ? 'LatencyTarget' : 'TasksPerReplica';
}

/** Sends a number through limiters, and notes those that changed it. */
function through(
  proposed: number,
  steps: readonly (readonly [LimiterName, (n: number) => number])[],
): { readonly desired: number; readonly limiters: readonly Limiter[] } {
  let desired = proposed;
  const limiters: Limiter[] = [];
  for (const [name, limit] of steps) {
    const before = desired;
    desired = limit(before);
    if (desired !== before) limiters.push({ name, before, after: desired });
  }
  return { desired, limiters };
}

/** As they are shown, with four digits; the decision is made from these, so that it can be made again by hand. */
function shown(inputs: Readonly<Record<string, number | undefined>>): DecisionInputs {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Number.isInteger(value) ? value : Number(value.toPrecision(4))]],
    ),
  );
}
