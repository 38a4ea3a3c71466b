import type { RedisRouter } from '../redis/router.ts';
import { AsynqError } from '../runtime/errors.ts';
import { QUEUES_KEY } from '../wire/keys.ts';
import { texts } from './replies.ts';

/** The names of all queues, sorted. */
export async function listQueues(router: Pick<RedisRouter, 'command'>): Promise<string[]> {
  return texts({ name: 'SMEMBERS' }, await router.command(QUEUES_KEY, 'SMEMBERS', [QUEUES_KEY])).toSorted();
}

/**
 * Tells a queue that holds nothing from one that is not there. To be asked when nothing was found, and only then: Go asks
 * before all else, and so refuses to show tasks of a queue whose listing was lost.
 *
 * @throws ASYNQ_QUEUE_NOT_FOUND
 */
export async function expectQueue(router: Pick<RedisRouter, 'command'>, queue: string): Promise<void> {
  if ((await router.command(QUEUES_KEY, 'SISMEMBER', [QUEUES_KEY, queue])) === 1) return;
  throw new AsynqError('ASYNQ_QUEUE_NOT_FOUND', `queue ${JSON.stringify(queue)} does not exist`);
}
