import type { KeyLocation, RedisReply } from '../redis/router.ts';
import { AsynqError } from '../runtime/errors.ts';
import { limitsOf } from './queue-limits.ts';
import type { ObservedLimits, QueueSnapshot } from './queue-reader.ts';

/** Figures of the answer of `observe.lua`: of a queue at rest, and of one that is not; of limits, where there are some. */
const AT_REST = 7;
const ALL = 21;
const OF_LIMITS = 4;

/**
 * Reads the answer of `observe.lua`, which explains its figures; those of a queue at rest that are not there are zero.
 * @throws ASYNQ_REDIS_COMMAND it is something else
 */
export function parseObservation(reply: RedisReply, location: KeyLocation): QueueSnapshot {
  const texts = String(reply).split(' ');
  const hasLimits = [AT_REST, ALL].includes(texts.length - OF_LIMITS);
  const limits = hasLimits ? limitsFrom(texts.splice(-OF_LIMITS)) : undefined;
  if (texts.length !== AT_REST && texts.length !== ALL) throw unreadable(reply);
  const [seconds, micros, paused, processed, failed, archived, completed, ...rest] = texts;
  const [pending, active, scheduled, retry, aggregating, groups, stamp, ahead, ...more] = rest;
  const [due, soon, nextDue, orphaned, ghosts, readyGroups] = more;
  const at = Number(seconds) * 1_000 + Number(micros) / 1_000;
  return {
    at,
    keySlot: location.slot,
    node: location.master,
    replicas: location.replicas,
    paused: paused === '1',
    size: {
      pending: figure(pending),
      active: figure(active),
      scheduled: figure(scheduled),
      retry: figure(retry),
      archived: figure(archived),
      completed: figure(completed),
      aggregating: figure(aggregating),
    },
    groups: figure(groups),
    latencySeconds: figure(pending) === 0 ? 0 : secondsSince(stamp, at),
    clockSkew: figure(ahead) > 0,
    due: figure(due),
    soon: figure(soon),
    nextDue: nextDue === undefined || nextDue === '-' ? undefined : Number(nextDue),
    orphaned: figure(orphaned),
    ghosts: figure(ghosts),
    readyGroups: figure(readyGroups),
    processed: figure(processed),
    failed: figure(failed),
    ...(limits && { limits }),
  };
}

function limitsFrom([concurrency, rate, isOperators, started]: readonly string[]): ObservedLimits {
  const limit = (text = '-') => (text === '-' ? undefined : Number(text));
  return {
    ...limitsOf(limit(concurrency), limit(rate)),
    owner: isOperators === '1' ? 'operator' : 'hand',
    started: figure(started),
  };
}

function figure(text = '0'): number {
  return Number(text);
}

/** Seconds from a stamp in Unix nanoseconds to `at`, Unix milliseconds; clocks differ a little, and waits are not negative. */
export function secondsSince(stamp: string | undefined, at: number): number | undefined {
  if (stamp === undefined || stamp === '-') return undefined;
  // Microseconds: a number does not hold nanoseconds.
  return Math.max(0, (at - Number(stamp.slice(0, -3)) / 1_000) / 1_000);
}

function unreadable(reply: RedisReply): AsynqError {
  return new AsynqError(
    'ASYNQ_REDIS_COMMAND',
    `expected ${AT_REST} or ${ALL} figures of a queue, got ${JSON.stringify(String(reply))}`,
  );
}
