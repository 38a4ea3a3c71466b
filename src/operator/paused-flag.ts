import type { RedisRouter } from '../redis/router.ts';
import { unixSeconds } from '../runtime/clock.ts';
import { QueueKeys } from '../wire/keys.ts';
import { WRITE_TIMEOUT_MS } from './write-timeout.ts';

/** Pauses or resumes a queue as asynq's Inspector does; harmless when it is so already. */
export async function writePausedFlag(
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
