import type { CallOptions, RedisRouter } from '../redis/router.ts';
import { QueueKeys } from '../wire/keys.ts';
import { loadScript } from './scripts.ts';

const RELEASE_LIMITS = loadScript('release-limits');

/** How much of one queue may run, over all servers that take its tasks by our scripts. */
export interface QueueLimits {
  /** Tasks active at once, those of Go's servers counted. @default no limit */
  readonly concurrency?: number;
  /** Tasks started per second; less than one is possible. @default no limit */
  readonly ratePerSecond?: number;
}

/** `operator`: an AsynqQueue says so; `hand`: somebody else. */
export type LimitsOwner = 'operator' | 'hand';

/** What the hash says in `owner` when an operator wrote it. */
export const OPERATOR_MARK = 'asynq-operator';

const MARKS = { operator: OPERATOR_MARK, hand: '' } as const;

/** One command: whoever dequeues sees the old limits or the new ones. Harmless when they are so already. */
export async function writeQueueLimits(
  router: RedisRouter,
  queue: string,
  { concurrency, ratePerSecond }: QueueLimits,
  owner: LimitsOwner,
  options?: CallOptions,
): Promise<void> {
  const key = new QueueKeys(queue).limits;
  const fields = {
    concurrency: concurrency ?? '',
    rate_per_second: ratePerSecond ?? '',
    owner: MARKS[owner],
  };
  await router.command(key, 'HSET', [key, ...Object.entries(fields).flat()], options);
}

/** Limits, and who set them. */
export interface OwnedLimits extends QueueLimits {
  readonly owner: LimitsOwner;
}

/** undefined: the queue has none. */
export async function readQueueLimits(router: RedisRouter, queue: string): Promise<OwnedLimits | undefined> {
  const key = new QueueKeys(queue).limits;
  const reply = await router.command(key, 'HMGET', [key, 'concurrency', 'rate_per_second', 'owner']);
  const [concurrency, ratePerSecond, mark] = Array.isArray(reply) ? reply.map(String) : [];
  const limits = limitsOf(positive(concurrency), positive(ratePerSecond));
  return limits && { ...limits, owner: mark === OPERATOR_MARK ? 'operator' : 'hand' };
}

/** Takes away all limits, whoever set them. */
export async function removeQueueLimits(router: RedisRouter, queue: string): Promise<void> {
  const key = new QueueKeys(queue).limits;
  await router.command(key, 'DEL', [key]);
}

/** Takes away the limits that an operator set, and no others. */
export async function releaseQueueLimits(
  router: RedisRouter,
  queue: string,
  options?: CallOptions,
): Promise<void> {
  await router.run(RELEASE_LIMITS, [new QueueKeys(queue).limits], [OPERATOR_MARK], options);
}

export function limitsOf(
  concurrency: number | undefined,
  ratePerSecond: number | undefined,
): QueueLimits | undefined {
  if (concurrency === undefined && ratePerSecond === undefined) return undefined;
  return {
    ...(concurrency !== undefined && { concurrency }),
    ...(ratePerSecond !== undefined && { ratePerSecond }),
  };
}

/** As dequeue.lua reads it: whatever is no positive number limits nothing. */
function positive(text: string | undefined): number | undefined {
  const number = Number(text);
  return Number.isFinite(number) && number > 0 ? number : undefined;
}
