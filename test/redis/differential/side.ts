import type { RedisArg, RedisReply, RedisRouter } from '../../../src/redis/router.ts';
import { QUEUES_KEY, QueueKeys } from '../../../src/wire/keys.ts';
import type { TaskMessage } from '../../../src/wire/task-message.ts';
import { taskMessage } from '../../support/task-messages.ts';
import type { NewTask, Operation, Placement } from './operations.ts';

/** One of the two that do the same operations, each on a queue of its own. */
export interface Side {
  readonly queue: string;
  /** What came of it, without the queue's name. `now` is Unix milliseconds. */
  take(operation: Operation, now: number): Promise<unknown>;
}

/** A task as an inspector shows it, times in Unix seconds; `lost`: there is nothing to show but its id. */
export type TaskView =
  | 'lost'
  | {
      readonly id: string;
      readonly type: string;
      readonly state: string;
      readonly payload: string;
      readonly nextProcessAt: number;
      readonly result: string;
      readonly retried: number;
      readonly lastErr: string;
      readonly lastFailedAt: number;
      readonly completedAt: number;
      readonly group: string;
    };

const FIGURES =
  'size groups pending active scheduled retry archived completed aggregating processed failed processedTotal failedTotal paused';

/** The figures of a queue that both tell alike: memory is estimated, and of several that wait ours asks more. */
export function statsView(info: object, pending: number, latencySeconds: number): object {
  const all = Object.fromEntries(Object.entries(info));
  const figures = Object.fromEntries(FIGURES.split(' ').map((name) => [name, all[name] as unknown]));
  return pending > 1 ? figures : { ...figures, latencySeconds };
}

/** A recoverer waits so long after the end of a lease, seconds. */
export const GRACE_SECONDS = 30;

/** What the recoverer says of a task. */
export const LOST = { error: 'asynq: task lease expired', seconds: 15 } as const;

/** Seconds of an id that was lost from active: its lease. */
const LEASE_SECONDS = 30;

export function messageOf(queue: string, task: NewTask, where: Placement): TaskMessage {
  const { id, type, payload, retry, retention, timeout, header, unique } = task;
  const bytes = payload === null ? null : Buffer.from(payload);
  return taskMessage({
    queue,
    id,
    type,
    payload: new Uint8Array(bytes ?? []),
    headers: header === undefined ? {} : { [header[0]]: header[1] },
    retry,
    retention,
    timeout,
    uniqueKey: unique === undefined ? '' : new QueueKeys(queue).unique(type, bytes),
    groupKey: where.kind === 'group' ? where.group : '',
  });
}

/** Takes the chosen ones out of those that are held. */
export function takeHeld<T>(held: T[], from: number, count: number): T[] {
  return held.length === 0 ? [] : held.splice(from % held.length, count);
}

/** The bytes of a text without the name of its queue, but as many: messages can still be read. */
export function masked(latin1: string, queue: string): string {
  const name = Buffer.from(queue).toString('latin1');
  return latin1.replaceAll(name, 'Q'.repeat(name.length));
}

/** Why an inspector refused: ours says Go's words, and of which task. */
export interface Refusal {
  readonly class: string;
  readonly text: string;
}

export function refusal(classOf: string, text: string, queue: string): Refusal {
  const words = text.replace(/^(?:[A-Z_]+: )+/, '').replace(/: id=.*$/s, '');
  return { class: classOf, text: words.replace(JSON.stringify(queue), 'Q') };
}

/** Does by hand what no broker does. */
export class Hand {
  readonly keys: QueueKeys;
  readonly #router: RedisRouter;
  readonly #queue: string;
  #lost = 0;

  constructor(router: RedisRouter, queue: string) {
    this.#router = router;
    this.#queue = queue;
    this.keys = new QueueKeys(queue);
  }

  do(command: string, ...args: RedisArg[]): Promise<RedisReply> {
    return this.#router.command(this.keys.pending, command, args);
  }

  async texts(command: string, ...args: RedisArg[]): Promise<string[]> {
    return ((await this.do(command, ...args)) as Buffer[]).map(String);
  }

  /** Names the queue among all: Go's inspector looks at no other. */
  async list(): Promise<void> {
    await this.#router.command(QUEUES_KEY, 'SADD', [QUEUES_KEY, this.#queue]);
  }

  async unlock(type: string, payload: string | null): Promise<void> {
    await this.do('DEL', this.keys.unique(type, payload === null ? null : Buffer.from(payload)));
  }

  /** Leaves an id where it would be, and no task. */
  async lose(from: 'pending' | 'scheduled' | 'retry' | 'active', now: number): Promise<void> {
    const id = `lost ${++this.#lost}`;
    const second = Math.floor(now / 1000);
    if (from === 'pending' || from === 'active') await this.do('LPUSH', this.keys.inState(from), id);
    else await this.do('ZADD', this.keys.inState(from), second, id);
    if (from === 'active') await this.do('ZADD', this.keys.lease, second + LEASE_SECONDS, id);
  }
}
