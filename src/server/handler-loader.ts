import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AsynqError, errorText } from '../runtime/errors.ts';
import type { AggregateFunction } from './group-aggregator.ts';
import type { Handler, HandlerFunction } from './handler.ts';
import { moduleFault } from './module-fault.ts';
import { ServeMux } from './mux.ts';

const EXPECTED =
  'a default export that is a ServeMux, a handler function or an object of task type -> handler';

export interface HandlersModule {
  readonly handler: Handler | HandlerFunction;
  /** Makes one task of those that wait in a group. */
  readonly aggregate: AggregateFunction | undefined;
}

/**
 * Imports the user's handler module: ESM, whose default export is a mux (anything with a `processTask`), a function, or
 * an object of task type -> handler, which is then a mux of its own. Where tasks are grouped it exports a function
 * `aggregate` as well.
 *
 * @throws ASYNQ_HANDLERS_MODULE in one line: the path, what was expected and what came
 */
export async function loadHandlers(path: string): Promise<HandlersModule> {
  const { default: handlers, aggregate } = await importModule(path);
  if (aggregate !== undefined && (typeof aggregate !== 'function' || isClass(aggregate))) {
    throw unusable(path, `expected a function as export aggregate, got ${nameOf(aggregate)}`);
  }
  return { handler: handlerOf(path, handlers), aggregate: aggregate as AggregateFunction | undefined };
}

function handlerOf(path: string, exported: unknown): Handler | HandlerFunction {
  if (typeof exported === 'function') {
    if (isClass(exported)) throw unusable(path, `expected ${EXPECTED}, got the class ${exported.name}`);
    return exported as HandlerFunction;
  }
  if (typeof exported !== 'object' || exported === null || Array.isArray(exported)) {
    throw unusable(path, `expected ${EXPECTED}, got ${nameOf(exported)}`);
  }
  if ('processTask' in exported && typeof exported.processTask === 'function') return exported as Handler;
  return muxOf(path, exported as Record<string, Handler | HandlerFunction>);
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  if (!existsSync(path)) throw unusable(path, 'expected an ES module, got no such file');
  try {
    return (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>;
  } catch (cause) {
    throw unusable(path, `expected an ES module that loads, got ${await moduleFault(path, cause)}`, cause);
  }
}

function muxOf(path: string, handlers: Readonly<Record<string, Handler | HandlerFunction>>): ServeMux {
  const types = Object.keys(handlers);
  if (types.length === 0) throw unusable(path, `expected ${EXPECTED}, got an object without any`);
  const mux = new ServeMux();
  for (const type of types) {
    try {
      mux.handle(type, handlers[type] as Handler);
    } catch (cause) {
      throw unusable(path, `task type ${JSON.stringify(type)}: ${errorText(cause)}`, cause);
    }
  }
  return mux;
}

function isClass(exported: { readonly prototype?: unknown }): boolean {
  const { prototype } = exported;
  return (
    typeof prototype === 'object' &&
    prototype !== null &&
    Object.getOwnPropertyDescriptor(exported, 'prototype')?.writable === false
  );
}

function nameOf(exported: unknown): string {
  if (exported === undefined) return 'no default export';
  if (exported === null) return 'null';
  if (Array.isArray(exported)) return 'an array';
  return typeof exported === 'object' ? 'an object' : `a ${typeof exported}`;
}

function unusable(path: string, problem: string, cause?: unknown): AsynqError {
  return new AsynqError('ASYNQ_HANDLERS_MODULE', `handlers module ${path}: ${problem}`, { cause });
}
