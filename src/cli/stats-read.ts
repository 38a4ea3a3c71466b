import type { RedisRouter } from '../redis/router.ts';
import type { Clock } from '../runtime/clock.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import type { QueueInfo } from '../tasks/queue-info.ts';
import { QUEUES_KEY } from '../wire/keys.ts';
import type { Session } from './context.ts';
import { STATES } from './queue-figures.ts';

/** All queues at about one time, and what Redis says of itself. */
export interface Stats {
  readonly aggregate: Aggregate;
  readonly queues: readonly QueueInfo[];
  readonly failures: readonly string[];
  readonly isCluster: boolean;
  /** The lines of INFO, or of CLUSTER INFO. */
  readonly redis: Readonly<Record<string, string>>;
}

/** Sums over all queues; `timestamp` is that of the last one. */
type Aggregate = Readonly<Record<(typeof COUNTS)[number], number>> & { readonly timestamp: Date };

const COUNTS: readonly [...typeof STATES, 'processed', 'failed'] = [
  ...STATES,
  'processed',
  'failed',
] as const;

/** A queue that cannot be read is a failure of its own, and missing in the sums; one that was just removed is not there. */
export async function readStats({ inspector, redis, isCluster }: Session, clock: Clock): Promise<Stats> {
  const names = await inspector.queues();
  const looks = await Promise.allSettled(names.map((queue) => inspector.getQueueInfo(queue)));
  const queues = looks.filter((look) => look.status === 'fulfilled').map(({ value }) => value);
  const failures = looks
    .filter((look) => look.status === 'rejected')
    .filter(({ reason }) => !AsynqError.is(reason, 'ASYNQ_QUEUE_NOT_FOUND'))
    .map(({ reason }) => errorText(reason));
  const timestamp = queues.at(-1)?.timestamp ?? new Date(clock.now());
  const counts = COUNTS.map((name) => [name, sum(queues, name)]);
  const aggregate = { ...(Object.fromEntries(counts) as Omit<Aggregate, 'timestamp'>), timestamp };
  return { aggregate, queues, failures, isCluster, redis: await redisInfo(redis, isCluster) };
}

function sum(queues: readonly QueueInfo[], name: (typeof COUNTS)[number]): number {
  return queues.reduce((total, queue) => total + queue[name], 0);
}

async function redisInfo(redis: RedisRouter, isCluster: boolean): Promise<Record<string, string>> {
  const reply = isCluster
    ? await redis.command(QUEUES_KEY, 'CLUSTER', ['INFO'])
    : await redis.command(QUEUES_KEY, 'INFO', []);
  return infoLines(String(reply));
}

/** `key:value` lines; as Go, without those whose value holds a colon. Pure. */
function infoLines(text: string): Record<string, string> {
  const pairs = text.split('\r\n').map((line) => line.split(':'));
  return Object.fromEntries(pairs.filter((pair) => pair.length === 2));
}
