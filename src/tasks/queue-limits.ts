import { inspect } from 'node:util';
import {
  limitsOf,
  type QueueLimits,
  readQueueLimits,
  removeQueueLimits,
  writeQueueLimits,
} from '../broker/queue-limits.ts';
import { shareOrOpen } from '../redis/open.ts';
import type { RedisConnOpt } from '../redis/options.ts';
import type { RedisRouter } from '../redis/router.ts';
import { AsynqError } from '../runtime/errors.ts';
import { checkQueueName } from '../wire/keys.ts';

/** What a limit may be; the same as in an AsynqQueue. */
const BOUNDS = { concurrency: [1, 1_000_000], ratePerSecond: [0.001, 1_000_000] } as const;

/**
 * Limits a queue over all servers of ours, at once and until they are changed or cleared. A limit that is left out is
 * none. Where an AsynqQueue declares `limits` for the queue, the operator sets those again within a second.
 *
 * `concurrency` (a whole number) counts every task that is active, also in Go's servers, which keep to no limit
 * themselves. Of `ratePerSecond`, a tenth of a second's starts may come together: in any t seconds there are no more than
 * 1 + rate * (t + 0.1).
 *
 * `redis`: where Redis is (connected to for this call), or a connection that others use too. Go's asynq has no such limits.
 *
 * @throws ASYNQ_QUEUE_NAME_INVALID, ASYNQ_OPTION_INVALID (none given, or one out of its bounds: 1 to 1,000,000, and 0.001
 * to 1,000,000 a second) before anything is sent; ASYNQ_CONFIG_INVALID, ASYNQ_REDIS_*
 */
export async function setQueueLimits(
  redis: RedisConnOpt | RedisRouter,
  queue: string,
  limits: QueueLimits,
): Promise<void> {
  checkQueueName(queue);
  checkLimits(limits);
  await using connected = connect(redis);
  await writeQueueLimits(connected.router, queue, limits, 'hand');
}

/**
 * The limits of a queue, whoever set them; undefined when it has none.
 *
 * @throws ASYNQ_QUEUE_NAME_INVALID, ASYNQ_CONFIG_INVALID, ASYNQ_REDIS_*
 */
export async function getQueueLimits(
  redis: RedisConnOpt | RedisRouter,
  queue: string,
): Promise<QueueLimits | undefined> {
  checkQueueName(queue);
  await using connected = connect(redis);
  const limits = await readQueueLimits(connected.router, queue);
  return limits && limitsOf(limits.concurrency, limits.ratePerSecond);
}

/**
 * Takes away all limits of a queue, whoever set them.
 *
 * @throws ASYNQ_QUEUE_NAME_INVALID, ASYNQ_CONFIG_INVALID, ASYNQ_REDIS_*
 */
export async function clearQueueLimits(redis: RedisConnOpt | RedisRouter, queue: string): Promise<void> {
  checkQueueName(queue);
  await using connected = connect(redis);
  await removeQueueLimits(connected.router, queue);
}

function connect(redis: RedisConnOpt | RedisRouter): { readonly router: RedisRouter } & AsyncDisposable {
  const { router, isOwner } = shareOrOpen(redis);
  return { router, [Symbol.asyncDispose]: async () => (isOwner ? router.close() : undefined) };
}

function checkLimits({ concurrency, ratePerSecond }: QueueLimits): void {
  if (concurrency === undefined && ratePerSecond === undefined) {
    throw new AsynqError('ASYNQ_OPTION_INVALID', 'expected concurrency, ratePerSecond or both, got neither');
  }
  const [fewest, most] = BOUNDS.concurrency;
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && isWithin(concurrency, fewest, most))) {
    throw invalid('concurrency', `a whole number from ${fewest} to ${most}`, concurrency);
  }
  const [slowest, fastest] = BOUNDS.ratePerSecond;
  if (ratePerSecond !== undefined && !isWithin(ratePerSecond, slowest, fastest)) {
    throw invalid('ratePerSecond', `a number from ${slowest} to ${fastest}`, ratePerSecond);
  }
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

function invalid(limit: string, expected: string, got: unknown): AsynqError {
  return new AsynqError('ASYNQ_OPTION_INVALID', `${limit}: expected ${expected}, got ${inspect(got)}`);
}
