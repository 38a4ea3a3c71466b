import type { KeyLocation, RedisReply } from '../redis/router.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { QueueSnapshot } from './queue-reader.ts';

/** Figures of the answer of `observe.lua`: of a queue at rest, and of one that is not. */
const AT_REST = 7;
const ALL = 21;

/**
 * Reads the answer of `observe.lua`, which explains its figures; those of a queue at rest that are not there are zero.
 * @throws ASYNQ_REDIS_COMMAND it is something else
 */
export function parseObservation(reply: RedisReply, location: KeyLocation): QueueSnapshot {
  const texts = String(reply).split(' ');
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
  };
}

function figure(text = '0'): number {
  return Number(text);
}

/** Seconds from a stamp in Unix nanoseconds to `at`, Unix milliseconds; clocks differ a little, and waits are not negative. */
export function secondsSince(stamp: string | undefined, at: number): number | undefined {
  if (stamp === undefined || stamp === '-') return undefined;
  return Math.max(0, (at - Number(stamp) / 1e6) / 1_000);
}

function unreadable(reply: RedisReply): AsynqError {
  return new AsynqError(
    'ASYNQ_REDIS_COMMAND',
    `expected ${AT_REST} or ${ALL} figures of a queue, got ${JSON.stringify(String(reply))}`,
  );
}
