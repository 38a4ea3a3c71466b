import type { RedisReply, RedisRouter, Script } from '../redis/router.ts';
import { checkText } from '../runtime/check-text.ts';
import type { Clock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import { QueueKeys } from '../wire/keys.ts';
import { isTaskState } from '../wire/states.ts';
import { expectQueue } from './queue-list.ts';
import { bytes, list, optionalBytes, optionalText, rows } from './replies.ts';
import { loadScript } from './scripts.ts';
import { type StoredTask, storedTask } from './stored-task.ts';
import { taskNotFound } from './task-not-found.ts';
import { placeKey, type TaskPlace } from './task-place.ts';

const INSPECT_TASK = loadScript('inspect-task');
const INSPECT_PAGE = loadScript('inspect-page');

/** Tasks that one script call reads at most, and the size of their bytes after which it reads no more. */
const MAX_ITEMS = 100;
const MAX_BYTES = 4 << 20;

/** A task found by its id, with what moving it takes. */
export interface FoundTask extends StoredTask {
  readonly place: TaskPlace;
  /** The key of its lock, if it has one. */
  readonly lock: string | undefined;
}

/** A part of a list, in tasks. */
export interface Range {
  readonly skip: number;
  readonly count: number;
}

/**
 * Reads tasks. A long page comes in parts, since one script holds up all others of its Redis: what moves meanwhile may be
 * missed or seen twice, as it is from one page to the next.
 */
export class TaskInspection {
  readonly #router: Pick<RedisRouter, 'run' | 'command'>;
  readonly #clock: Clock;

  constructor(parts: { router: Pick<RedisRouter, 'run' | 'command'>; clock: Clock }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
  }

  /** @throws ASYNQ_TASK_NOT_FOUND, ASYNQ_QUEUE_NOT_FOUND, ASYNQ_MESSAGE_UNREADABLE its state is none of asynq's */
  async find(queue: string, id: string): Promise<FoundTask> {
    const keys = QueueKeys.of(queue);
    checkText('task id', id);
    const reply = await this.#router.run(
      INSPECT_TASK,
      [keys.task(id), keys.scheduled, keys.retry, keys.lease],
      [id],
    );
    if (reply === null) {
      await expectQueue(this.#router, queue);
      throw taskNotFound(queue, id);
    }
    return foundTask(queue, id, reply, this.#clock.now());
  }

  /**
   * Tasks in the order of their list: pending and active ones from the next to run on, the others from the lowest score on.
   *
   * @throws ASYNQ_QUEUE_NOT_FOUND
   */
  async page(queue: string, place: TaskPlace, { skip, count }: Range): Promise<StoredTask[]> {
    const keys = QueueKeys.of(queue);
    const from = placeKey(keys, place);
    const tasks: StoredTask[] = [];
    while (tasks.length < count) {
      const most = Math.min(MAX_ITEMS, count - tasks.length);
      const reply = await this.#router.run(
        INSPECT_PAGE,
        place.state === 'active' ? [from, keys.lease] : [from],
        [keys.taskPrefix, skip + tasks.length, most, MAX_BYTES],
      );
      const now = this.#clock.now();
      const part = rows(INSPECT_PAGE, reply, 4).map((row) => pageTask(queue, place, row, now));
      if (part.length === 0) break;
      tasks.push(...part);
    }
    if (tasks.length === 0) await expectQueue(this.#router, queue);
    return tasks;
  }
}

function pageTask(queue: string, { state }: TaskPlace, row: RedisReply[], now: number): StoredTask {
  const [id, score, msg, result] = row;
  const at = seconds(INSPECT_PAGE, score);
  return storedTask(
    {
      queue,
      id: bytes(INSPECT_PAGE, id).toString(),
      state,
      msg: optionalBytes(INSPECT_PAGE, msg),
      result: optionalBytes(INSPECT_PAGE, result),
      dueAt: at,
      leaseEnd: at,
    },
    now,
  );
}

function foundTask(queue: string, id: string, reply: RedisReply, now: number): FoundTask {
  const [status, msg, result, group, lock, dueAt, leaseEnd] = list(INSPECT_TASK, reply);
  const state = optionalText(INSPECT_TASK, status) ?? '';
  if (!isTaskState(state)) {
    const text = `expected task ${JSON.stringify(id)} to be in a state of asynq, got ${JSON.stringify(state)}`;
    throw new AsynqError('ASYNQ_MESSAGE_UNREADABLE', text);
  }
  const task = storedTask(
    {
      queue,
      id,
      state,
      msg: optionalBytes(INSPECT_TASK, msg),
      result: optionalBytes(INSPECT_TASK, result),
      dueAt: seconds(INSPECT_TASK, dueAt),
      leaseEnd: seconds(INSPECT_TASK, leaseEnd),
    },
    now,
  );
  const place: TaskPlace =
    state === 'aggregating'
      ? { state, group: optionalText(INSPECT_TASK, group) ?? task.message.groupKey }
      : { state };
  return { ...task, place, lock: optionalText(INSPECT_TASK, lock) ?? (task.message.uniqueKey || undefined) };
}

function seconds(script: Script, score: RedisReply | undefined): number | undefined {
  const text = optionalText(script, score);
  return text === undefined ? undefined : Number(text);
}
