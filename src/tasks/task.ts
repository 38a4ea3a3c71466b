import type { TaskMessage } from '../wire/task-message.ts';
import { NO_OPTIONS, type TaskOptions } from './options.ts';
import { Payload, type PayloadInput } from './payload.ts';

/**
 * Something to be done: a type, by which a handler is found, and a payload.
 *
 *     new Task('email:welcome', { user_id: 42 }, { queue: 'emails', maxRetry: 5 })
 */
export class Task {
  readonly type: string;
  readonly payload: Payload;
  /** Data beside the payload, e.g. of tracing. */
  readonly headers: Readonly<Record<string, string>>;
  /** What holds when the task is enqueued, unless the enqueue says otherwise. */
  readonly options: TaskOptions;

  /** `payload`: bytes are taken as they are, anything else becomes JSON. @throws ASYNQ_PAYLOAD_NOT_JSON */
  constructor(type: string, payload: PayloadInput | Payload = null, options: TaskOptions = NO_OPTIONS) {
    this.type = type;
    this.payload = payload instanceof Payload ? payload : Payload.of(payload);
    this.headers = options.headers ?? NO_HEADERS;
    this.options = options;
  }

  /** The task of a message, as a handler gets it. */
  static fromMessage({ type, payload, headers }: TaskMessage): Task {
    return new Task(type, Payload.ofMessage(payload), { headers });
  }
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});
