import { type AsynqQueue, keyOf, queueName, workerName } from './asynq-queue.ts';
import type { QueueKey } from './ends.ts';
import type { Refusal } from './refusal.ts';

/** What an AsynqQueue lays claim to. */
export interface Claim {
  readonly queue: AsynqQueue;
  /** Of the connection that it is read through; undefined: not known yet. */
  readonly connection: string | undefined;
  /**
   * The Redis behind the connection, whatever addresses lead there: node id of the queue's owner (a cluster) or run_id
   * and database (a standalone server); undefined: not known yet.
   */
  readonly redis: string | undefined;
}

/**
 * Which AsynqQueues have to stand back: of those that want one queue of one Redis, or one workload, the oldest keeps it
 * (by creationTimestamp, then by UID). One that stands back claims nothing.
 */
export function conflictsOf(claims: readonly Claim[]): ReadonlyMap<QueueKey, Refusal> {
  const holders = new Map<string, QueueKey>();
  const conflicts = new Map<QueueKey, Refusal>();
  for (const claim of claims.toSorted((a, b) => compareAge(a.queue, b.queue))) {
    const key = keyOf(claim.queue);
    const tokens = tokensOf(claim);
    const taken = tokens.find(({ token }) => holders.has(token));
    if (taken === undefined) for (const { token } of tokens) holders.set(token, key);
    else conflicts.set(key, refusalOf(claim.queue, taken.reason, holders.get(taken.token) ?? ''));
  }
  return conflicts;
}

function compareAge(a: AsynqQueue, b: AsynqQueue): number {
  const [older, newer] = [a.metadata, b.metadata];
  const ages = Date.parse(older.creationTimestamp) - Date.parse(newer.creationTimestamp);
  return ages === 0 ? (older.uid < newer.uid ? -1 : 1) : ages;
}

interface Token {
  readonly token: string;
  readonly reason: 'QueueConflict' | 'TargetConflict';
}

function tokensOf({ queue, connection, redis }: Claim): readonly Token[] {
  const { namespace } = queue.metadata;
  const token = (reason: Token['reason'], ...parts: readonly string[]) => ({
    reason,
    token: JSON.stringify([reason, ...parts]),
  });
  return [
    ...(redis === undefined ? [] : [token('QueueConflict', 'redis', redis, queueName(queue))]),
    ...(connection === undefined ? [] : [token('QueueConflict', 'connection', connection, queueName(queue))]),
    token('TargetConflict', namespace, workerName(queue)),
  ];
}

function refusalOf(queue: AsynqQueue, reason: Token['reason'], holder: QueueKey): Refusal {
  const what =
    reason === 'QueueConflict'
      ? `the queue ${JSON.stringify(queueName(queue))} of this Redis`
      : `the Deployment ${workerName(queue)}`;
  return { reason, message: `${what} belongs to the older AsynqQueue ${holder}` };
}
