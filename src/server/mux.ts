import { AsynqError } from '../runtime/errors.ts';
import type { Task } from '../tasks/task.ts';
import type { Handler, HandlerFunction, Middleware, TaskContext } from './handler.ts';

interface Entry {
  readonly pattern: string;
  readonly handle: HandlerFunction;
  /** `handle` inside the middleware. */
  chain: HandlerFunction;
}

/**
 * Finds the handler of a task by its type: the pattern equal to it, else the longest one that it starts with (plain
 * text, no separators: `email` takes `emailer:x` too). A mux is a handler, so muxes nest.
 *
 * @example
 * const mux = new ServeMux();
 * mux.handle('email:', sendEmail);
 * mux.use((next) => async (task, context) => {
 *   const start = performance.now();
 *   await next(task, context);
 *   context.log.info({ ms: performance.now() - start }, 'done');
 * });
 */
export class ServeMux implements Handler {
  readonly #exact = new Map<string, Entry>();
  /** Longest first; of one length, in order of registration. */
  readonly #byLength: Entry[] = [];
  readonly #middleware: Middleware[] = [];
  readonly #notFound: Entry = { pattern: '', handle: notFound, chain: notFound };

  /** @throws ASYNQ_HANDLER_INVALID for a blank or taken pattern, and for a handler that is none */
  handle(pattern: string, handler: Handler | HandlerFunction): this {
    if (typeof pattern !== 'string' || pattern.trim() === '') throw invalid('asynq: invalid pattern');
    if (this.#exact.has(pattern)) throw invalid(`asynq: multiple registrations for ${pattern}`);
    const handle = handlerFunction(handler);
    const entry: Entry = { pattern, handle, chain: this.#chain(handle) };
    this.#exact.set(pattern, entry);
    const shorter = this.#byLength.findIndex((other) => other.pattern.length < pattern.length);
    this.#byLength.splice(shorter < 0 ? this.#byLength.length : shorter, 0, entry);
    return this;
  }

  /** Wraps every handler, also those registered before, and the answer to unknown types; the first is outermost. */
  use(...middleware: Middleware[]): this {
    this.#middleware.push(...middleware);
    for (const entry of [...this.#byLength, this.#notFound]) entry.chain = this.#chain(entry.handle);
    return this;
  }

  /** The pattern that a task of this type is handled by. */
  patternFor(type: string): string | undefined {
    return this.#match(type)?.pattern;
  }

  processTask(task: Task, context: TaskContext): unknown {
    return (this.#match(task.type) ?? this.#notFound).chain(task, context);
  }

  #match(type: string): Entry | undefined {
    return this.#exact.get(type) ?? this.#byLength.find((entry) => type.startsWith(entry.pattern));
  }

  #chain(handle: HandlerFunction): HandlerFunction {
    return this.#middleware.reduceRight((next, wrap) => wrap(next), handle);
  }
}

/** @throws ASYNQ_HANDLER_INVALID when it is neither a function nor has a `processTask` */
export function handlerFunction(handler: Handler | HandlerFunction): HandlerFunction {
  if (typeof handler === 'function') return handler;
  if (typeof handler?.processTask === 'function')
    return (task, context) => handler.processTask(task, context);
  const got = handler === null ? 'null' : typeof handler;
  throw invalid(`expected a function or an object with a method processTask as handler, got ${got}`);
}

function notFound(task: Task): never {
  throw new AsynqError('ASYNQ_HANDLER_NOT_FOUND', `handler not found for task ${JSON.stringify(task.type)}`);
}

function invalid(message: string): AsynqError {
  return new AsynqError('ASYNQ_HANDLER_INVALID', message);
}
