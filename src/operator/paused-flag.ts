import type { RedisRouter } from '../redis/router.ts';
import { type Clock, unixSeconds } from '../runtime/clock.ts';
import { QueueKeys } from '../wire/keys.ts';
import { type AsynqQueue, keyOf, queueName } from './asynq-queue.ts';
import type { EnforcementParts } from './limits-enforcement.ts';
import type { Sight } from './queue-observer.ts';
import { WRITE_TIMEOUT_MS } from './write-timeout.ts';

/** How the flag was last found in Redis, under this generation of the spec. */
export interface PausedSeen {
  readonly generation: number;
  readonly found: boolean;
}

export interface PausedEnforcement {
  /** The flag in Redis is now as the spec says; undefined: the spec leaves it to others. */
  readonly stands: boolean | undefined;
  readonly seen: PausedSeen | undefined;
}

/**
 * Sets the flag in Redis to what the spec says, against other hands too.
 *
 * People are told of a correction when the flag changed since the last look: one that finds it as the last one did may be
 * older than what was written after that.
 */
export async function enforcePaused(
  queue: AsynqQueue,
  { reading, connection }: Sight & { kind: 'read' },
  seen: PausedSeen | undefined,
  { source, mayWrite, clock, log }: EnforcementParts & { readonly clock: Clock },
): Promise<PausedEnforcement> {
  const { paused, scaling } = queue.spec;
  if (paused === undefined || scaling.mode === 'Observe') return { stands: undefined, seen: undefined };
  if (reading.kind !== 'known') return { stands: false, seen };
  const { paused: found } = reading.snapshot;
  const { generation } = queue.metadata;
  const done = { stands: true, seen: { generation, found } };
  if (found === paused) return done;
  if (connection === undefined || !mayWrite()) return { stands: false, seen };
  try {
    await writePausedFlag(connection.router, queueName(queue), paused, clock.now());
  } catch (err) {
    log.warn({ err, queue: keyOf(queue) }, 'the paused flag could not be set, trying again');
    return { stands: false, seen };
  }
  if (seen?.generation === generation && seen.found !== found) {
    const message = `the queue was ${paused ? 'resumed' : 'paused'} in Redis; spec.paused is ${paused}`;
    source.event(queue, { type: 'Warning', reason: 'PausedCorrected', action: 'Pause', message });
  }
  return done;
}

/** What a restarted operator goes on from: the flag that the one before set was there. */
export function recallPaused({ status }: AsynqQueue): PausedSeen | undefined {
  const condition = status?.conditions?.find(({ type }) => type === 'Paused');
  if (condition?.reason !== 'Spec') return undefined;
  return { generation: condition.observedGeneration, found: condition.status === 'True' };
}

/** As asynq's Inspector does it; harmless when it is so already. */
async function writePausedFlag(
  router: RedisRouter,
  queue: string,
  paused: boolean,
  nowMs: number,
): Promise<void> {
  const key = new QueueKeys(queue).paused;
  const options = { timeout: WRITE_TIMEOUT_MS };
  if (paused) await router.command(key, 'SET', [key, unixSeconds(nowMs), 'NX'], options);
  else await router.command(key, 'DEL', [key], options);
}
