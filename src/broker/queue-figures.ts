import type { RedisReply, Script } from '../redis/router.ts';
import { secondsSince } from './observation.ts';
import { integer, list, optionalText } from './replies.ts';
import { loadScript } from './scripts.ts';

/** Counts of one instant. */
export interface QueueFigures {
  readonly pending: number;
  readonly active: number;
  readonly scheduled: number;
  readonly retry: number;
  readonly archived: number;
  readonly completed: number;
  /** Number of groups. */
  readonly groups: number;
  /** Tasks in all groups; undefined: too many groups to count them at one stroke. */
  readonly aggregating: number | undefined;
  /** For how long the oldest pending task waits; 0 when there is none, undefined when no one wrote down since when. */
  readonly latencySeconds: number | undefined;
  readonly paused: boolean;
  /** Attempts that ended today (UTC), failed ones too. */
  readonly processed: number;
  readonly failed: number;
  /** Attempts that ever ended, failed ones too. */
  readonly processedTotal: number;
  readonly failedTotal: number;
}

export const INSPECT_QUEUE: Script = loadScript('inspect-queue');

/** Reads the reply of `inspect-queue.lua`, which explains its figures. `nowMs`: the clock that stamps are held against. */
export function parseFigures(reply: RedisReply, nowMs: number): QueueFigures {
  const [pending, active, scheduled, retry, archived, completed, ...rest] = list(INSPECT_QUEUE, reply);
  const [groups, aggregating, stamp, paused, ...counters] = rest;
  const [processed, failed, processedTotal, failedTotal] = counters.map(counter);
  const waiting = integer(INSPECT_QUEUE, pending);
  return {
    pending: waiting,
    active: integer(INSPECT_QUEUE, active),
    scheduled: integer(INSPECT_QUEUE, scheduled),
    retry: integer(INSPECT_QUEUE, retry),
    archived: integer(INSPECT_QUEUE, archived),
    completed: integer(INSPECT_QUEUE, completed),
    groups: integer(INSPECT_QUEUE, groups),
    aggregating: aggregating === null ? undefined : integer(INSPECT_QUEUE, aggregating),
    latencySeconds: waiting === 0 ? 0 : secondsSince(optionalText(INSPECT_QUEUE, stamp), nowMs),
    paused: paused === 1,
    processed: processed ?? 0,
    failed: failed ?? 0,
    processedTotal: processedTotal ?? 0,
    failedTotal: failedTotal ?? 0,
  };
}

function counter(reply: RedisReply): number {
  return Number(optionalText(INSPECT_QUEUE, reply) ?? 0);
}
