import type { RedisRouter } from '../redis/router.ts';
import type { Clock } from '../runtime/clock.ts';
import { QueueKeys } from '../wire/keys.ts';
import { type Finding, FindingsBook } from './doctor-findings.ts';
import { IndexDoctor } from './index-doctor.ts';
import { queueKeyReader, surveyKeys } from './key-survey.ts';
import { QueueDoctor } from './queue-doctor.ts';
import { expectQueue, listQueues } from './queue-list.ts';
import { removedPrefix } from './queue-removal.ts';

/** Keys that hold the tasks of queues whose removal has not ended. */
const REMOVALS = `${removedPrefix(new QueueKeys('*'))}*`;

export interface Examination {
  /** Names of queues. @default all that there are, listed or not */
  readonly queues?: readonly string[];
  /** Mends what can be mended without losing a task. @default false */
  readonly mend?: boolean;
  /** Keys that were looked at, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends it between two pages of keys, two queues, or a few tasks that nothing led to; what was found until then is told. */
  readonly signal?: AbortSignal;
}

/**
 * Looks for what Go's asynq, a crash, an eviction or a flush has left behind, and mends it. The price is a walk over all
 * keys of the cluster, a thousand at a time, and a read of each message; servers may work on meanwhile. Whoever dies in the
 * middle has mended a part, and begins anew.
 *
 * @throws ASYNQ_QUEUE_NOT_FOUND one of `queues` holds nothing and is not listed
 */
export async function examine(
  parts: { readonly router: RedisRouter; readonly clock: Clock },
  { queues, mend = false, onProgress, signal }: Examination = {},
): Promise<Finding[]> {
  const book = new FindingsBook();
  const listed = await listQueues(parts.router);
  const readKey = queueKeyReader([...listed, ...(queues ?? [])]);
  const doctors = new Map<string, QueueDoctor>();
  const doctorOf = async (queue: string) => {
    let doctor = doctors.get(queue);
    if (doctor === undefined) {
      doctor = new QueueDoctor({ ...parts, queue, book, mend, signal });
      doctors.set(queue, doctor);
      await doctor.examineLists();
    }
    return doctor;
  };
  const histories = new Set<string>();
  for await (const page of surveyKeys(parts.router, 'asynq:*', onProgress)) {
    for (const key of page) if (key.startsWith('asynq:scheduler_history:')) histories.add(key);
    const found = page.map(readKey).filter((key) => key !== undefined);
    for (const [queue, keys] of Map.groupBy(found, (key) => key.queue)) {
      if (queues !== undefined && !queues.includes(queue)) continue;
      const doctor = await doctorOf(queue);
      await doctor.examine(keys.map(({ rest }) => rest));
    }
    if (signal?.aborted) return book.all();
  }
  for (const queue of queues ?? []) if (!doctors.has(queue)) await expectQueue(parts.router, queue);
  let suspects = 0;
  for (const doctor of doctors.values()) {
    suspects += await doctor.acquitListed();
    if (signal?.aborted) return book.all();
  }
  const removals: string[] = [];
  if (suspects > 0) {
    for await (const page of surveyKeys(parts.router, REMOVALS)) {
      removals.push(...page);
      if (signal?.aborted) return book.all();
    }
  }
  for (const doctor of doctors.values()) {
    await doctor.finish(removals);
    if (signal?.aborted) return book.all();
  }
  await new IndexDoctor({ ...parts, book, mend }).examine([...histories]);
  return book.all();
}
