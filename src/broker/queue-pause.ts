import type { RedisArg, RedisRouter, Script } from '../redis/router.ts';
import { unixSeconds } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import { QueueKeys } from '../wire/keys.ts';
import { integer } from './replies.ts';
import { loadScript } from './scripts.ts';

const PAUSE = loadScript('pause');
const UNPAUSE = loadScript('unpause');

/** Lets nothing more be taken from a queue, be there one or not yet. @throws ASYNQ_QUEUE_STATE it is paused already */
export async function pauseQueue(
  router: Pick<RedisRouter, 'run'>,
  queue: string,
  nowMs: number,
): Promise<void> {
  if (await flip(router, PAUSE, queue, [unixSeconds(nowMs)])) return;
  throw new AsynqError('ASYNQ_QUEUE_STATE', `queue ${JSON.stringify(queue)} is already paused`);
}

/** @throws ASYNQ_QUEUE_STATE it is not paused */
export async function unpauseQueue(router: Pick<RedisRouter, 'run'>, queue: string): Promise<void> {
  if (await flip(router, UNPAUSE, queue, [])) return;
  throw new AsynqError('ASYNQ_QUEUE_STATE', `queue ${JSON.stringify(queue)} is not paused`);
}

async function flip(
  router: Pick<RedisRouter, 'run'>,
  script: Script,
  queue: string,
  args: readonly RedisArg[],
): Promise<boolean> {
  const { paused } = QueueKeys.of(queue);
  const reply = await router.run(script, [paused], [0, ...args], { argsWhenResent: () => [1, ...args] });
  return integer(script, reply) === 1;
}
