import type { RedisRouter } from '../redis/router.ts';
import { checkText } from '../runtime/check-text.ts';
import type { Clock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import { QueueKeys } from '../wire/keys.ts';
import type { TaskState } from '../wire/states.ts';
import { decodeTaskMessage, encodeTaskMessage } from '../wire/task-message.ts';
import { integer, list, optionalBytes, optionalText } from './replies.ts';
import { loadScript } from './scripts.ts';
import { TaskInspection } from './task-inspection.ts';
import { type MoveKind, moveTasks, type Source } from './task-moves.ts';
import { taskNotFound } from './task-not-found.ts';
import { placeKey } from './task-place.ts';

const INSPECT_UPDATE = loadScript('inspect-update');

/** A task that moves each time between our look and our hand has moved on, or its hash says what is not so. */
const TRIES = 5;

/** States in which it cannot be done, with Go's words for it. */
const REFUSALS: Readonly<Record<MoveKind, Partial<Record<TaskState, string>>>> = {
  run: {
    active: 'task is already running',
    pending: 'task is already in pending state',
  },
  archive: {
    active: 'cannot archive task in active state. use CancelProcessing instead.',
    archived: 'task is already archived',
  },
  delete: {
    active: 'cannot delete task in active state. use CancelProcessing instead.',
  },
};

/**
 * Changes single tasks. Each change looks first where the task is and then takes it from there, so that all keys are
 * declared; a task that has moved between the two is looked for again.
 */
export class TaskChanges {
  readonly #router: Pick<RedisRouter, 'run' | 'command'>;
  readonly #clock: Clock;
  readonly #inspection: TaskInspection;

  constructor(parts: { router: Pick<RedisRouter, 'run' | 'command'>; clock: Clock }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
    this.#inspection = new TaskInspection(parts);
  }

  /** @throws ASYNQ_TASK_NOT_FOUND, ASYNQ_QUEUE_NOT_FOUND, ASYNQ_TASK_STATE */
  async move(kind: MoveKind, queue: string, id: string): Promise<void> {
    const keys = QueueKeys.of(queue);
    for (let tries = 1; tries <= TRIES; tries++) {
      const { lock, place } = await this.#inspection.find(queue, id);
      const refusal = REFUSALS[kind][place.state];
      if (refusal !== undefined) throw inState(refusal, queue, id);
      const source: Source = { key: placeKey(keys, place), ...('group' in place && { group: place.group }) };
      const where = { queue: keys, source, near: 0, nowMs: this.#clock.now() };
      const [outcome] = await moveTasks(this.#router, kind, [{ id, lock }], where);
      if (outcome === 'moved') return;
      if (outcome === 'dropped') throw taskNotFound(queue, id);
    }
    throw inState('task is not where its hash says', queue, id);
  }

  /**
   * Gives a scheduled task another payload. Its lock stays that of the payload it came with.
   *
   * @throws ASYNQ_TASK_NOT_FOUND, ASYNQ_QUEUE_NOT_FOUND, ASYNQ_TASK_STATE, ASYNQ_MESSAGE_UNREADABLE
   */
  async updatePayload(queue: string, id: string, payload: Uint8Array): Promise<void> {
    const keys = QueueKeys.of(queue);
    checkText('task id', id);
    const task = keys.task(id);
    const asked = { name: 'HMGET' };
    for (;;) {
      const reply = await this.#router.command(task, 'HMGET', [task, 'state', 'msg']);
      const [state, msg] = list(asked, reply);
      if (state === null && msg === null) await this.#inspection.find(queue, id);
      if (optionalText(asked, state) !== 'scheduled') {
        throw inState('cannot update task that is not in scheduled state.', queue, id);
      }
      const before = optionalBytes(asked, msg);
      if (before === undefined) throw new AsynqError('ASYNQ_MESSAGE_UNREADABLE', 'the task has no message');
      const after = encodeTaskMessage({ ...decodeTaskMessage(before), payload });
      const args = (ranBefore: 0 | 1) => [ranBefore, before, after];
      const written = await this.#router.run(INSPECT_UPDATE, [task], args(0), {
        argsWhenResent: () => args(1),
      });
      // Each time that it is not, another has changed the task.
      if (integer(INSPECT_UPDATE, written) === 1) return;
    }
  }
}

function inState(text: string, queue: string, id: string): AsynqError {
  return new AsynqError('ASYNQ_TASK_STATE', `${text}: id=${id}, queue=${queue}`);
}
