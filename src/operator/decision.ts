import type { QueueReading } from '../broker/queue-reader.ts';
import type { DecisionRecord, Limiter } from './asynq-queue.ts';
import type { GhostLevels } from './demand.ts';
import type { FleetState } from './ends.ts';
import type { Rates } from './rates.ts';

/** What is seen of one queue at one moment. */
export interface Observation {
  readonly reading: QueueReading;
  readonly fleet: FleetState;
}

/** Why a decision came out as it did; the words of `status.decision.reason`. */
export type DecisionReason =
  /** `scaling.target.latencySeconds` asks for it. */
  | 'LatencyTarget'
  /** `scaling.target.tasksPerReplica` asks for it. */
  | 'TasksPerReplica'
  /** Nothing waits yet, but a task falls due before a worker could start. */
  | 'DueSoon'
  /** The queue is paused: only running tasks count. */
  | 'Paused'
  /** No demand; `scaleToZeroAfterSeconds` runs, or `minReplicas` holds. */
  | 'Idle'
  /** No demand for long enough. */
  | 'Asleep'
  /** `scaling.mode` is Hold. */
  | 'Held'
  /** Redis cannot be read; `onUnknown` says what holds. */
  | 'RedisUnknown';

/** What changed the number on its way; the words of `status.decision.limiters`. */
export type LimiterName =
  | 'QueueConcurrency'
  | 'QueueRate'
  | 'Tolerance'
  | 'LatencyUnknown'
  | 'ScaleToZeroAfter'
  | 'StabilizationWindow'
  | 'WorkersNotStarting'
  | 'UnknownReplicas'
  | 'MaxReplicas'
  | 'MinReplicas';

/** Numbers that a decision was made from, under the names that `status.decision.inputs` shows. */
export type DecisionInputs = NonNullable<DecisionRecord['inputs']>;

export interface Decision {
  readonly desired: number;
  readonly reason: DecisionReason;
  readonly inputs: DecisionInputs;
  /** In the order in which they acted; each takes up the number that the one before left. */
  readonly limiters: readonly Limiter[];
  /** For the next decision on this queue. */
  readonly history: History;
}

/** What the next decision needs to know of the past. */
export interface History {
  /** Unix milliseconds up to which the queue was followed without a gap; undefined: it was not. */
  readonly followedUntil: number | undefined;
  readonly rates: Rates | undefined;
  readonly ghosts: GhostLevels;
  /** Unix milliseconds of the last moment with demand, or that could have had some. */
  readonly lastDemandAt: number | undefined;
  /** What was recommended within the stabilisation window, oldest first, each less than the one before. */
  readonly recommendations: readonly Recommendation[];
}

export interface Recommendation {
  readonly at: number;
  readonly replicas: number;
}

export const NO_HISTORY: History = {
  followedUntil: undefined,
  rates: undefined,
  ghosts: [],
  lastDemandAt: undefined,
  recommendations: [],
};

/**
 * What a restarted operator knows of a queue: the rates that the last one wrote down. Its windows start anew and full, so
 * that a restart never lowers a fleet sooner than the operator before would have.
 */
export function recall(record: DecisionRecord | undefined): History {
  const { arrivalsPerSecond, secondsPerTask, slotsPerReplica } = record?.inputs ?? {};
  if (arrivalsPerSecond === undefined || secondsPerTask === undefined) return NO_HISTORY;
  return {
    ...NO_HISTORY,
    rates: {
      at: Number.NEGATIVE_INFINITY,
      processed: 0,
      inside: 0,
      arrivalsPerSecond,
      times: {
        completions: RECALLED_COMPLETIONS,
        seconds: RECALLED_COMPLETIONS * secondsPerTask,
        fadedAt: 0,
        started: [],
      },
      slotsPerReplica,
    },
  };
}

/** A queue may be out of sight for so long, milliseconds: as long as a reading is believed. */
const LONGEST_GAP_MS = 5_000;

/**
 * The history, without its windows when nobody followed the queue for a while: what happened in between is not known, so
 * they start anew and full, as after a restart.
 */
export function withoutGap(history: History, now: number): History {
  const { followedUntil = now } = history;
  if (now - followedUntil <= LONGEST_GAP_MS) return history;
  return { ...history, lastDemandAt: undefined, recommendations: [] };
}

/** What was written down weighs as much as so many completions. */
const RECALLED_COMPLETIONS = 20;
