import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/runtime/errors.ts';
import type { TaskContext } from '../../../src/server/handler.ts';
import { handlerFunction, ServeMux } from '../../../src/server/mux.ts';
import { Task } from '../../../src/tasks/task.ts';

const context = {} as TaskContext;

/** What the mux answers to a task of this type: each handler says its own name. */
function answerOf(mux: ServeMux, type: string): unknown {
  return mux.processTask(new Task(type), context);
}

function muxOf(...patterns: string[]): ServeMux {
  const mux = new ServeMux();
  for (const pattern of patterns) mux.handle(pattern, () => pattern);
  return mux;
}

function noop(): void {}

function coded(code: ErrorCode): Error {
  return expect.objectContaining({ code }) as Error;
}

describe('a mux', () => {
  test.each([
    ['email:welcome', 'email:welcome'],
    ['email:welcome:again', 'email:welcome'],
    ['email:goodbye', 'email:'],
    ['emailer', 'email'],
    ['imágenes:resize', 'imágenes:'],
  ])('gives %s to the longest pattern that it starts with: %s', (type, pattern) => {
    const mux = muxOf('email', 'email:welcome', 'email:', 'imágenes:');
    expect(answerOf(mux, type)).toBe(pattern);
    expect(mux.patternFor(type)).toBe(pattern);
  });

  test('prefers the exact type to a prefix registered before', () => {
    expect(answerOf(muxOf('a', 'ab'), 'ab')).toBe('ab');
    expect(answerOf(muxOf('ab', 'a'), 'ab')).toBe('ab');
  });

  test('fails a task of an unknown type, which is then retried as any', () => {
    const mux = muxOf('email:');
    expect(mux.patternFor('sms:')).toBeUndefined();
    expect(() => answerOf(mux, 'sms:send')).toThrow('handler not found for task "sms:send"');
    expect(() => answerOf(mux, 'sms:send')).toThrow(coded('ASYNQ_HANDLER_NOT_FOUND'));
  });

  test('takes handlers as objects, and so other muxes', () => {
    const outer = new ServeMux().handle('email:', muxOf('email:welcome'));
    expect(answerOf(outer, 'email:welcome')).toBe('email:welcome');
    expect(() => answerOf(outer, 'email:bye')).toThrow('handler not found for task "email:bye"');
  });

  test('keeps `this` of a handler that is an object', () => {
    const counter = {
      count: 0,
      processTask() {
        this.count++;
      },
    };
    answerOf(new ServeMux().handle('count', counter), 'count');
    expect(counter.count).toBe(1);
  });

  test('runs middleware from the first used to the handler and back, whenever it was used', () => {
    const trace: string[] = [];
    const mux = new ServeMux().handle('task', () => trace.push('handler'));
    for (const name of ['outer', 'inner']) {
      mux.use((next) => (task, ctx) => {
        trace.push(`${name} in`);
        next(task, ctx);
        trace.push(`${name} out`);
      });
    }
    answerOf(mux, 'task');
    expect(trace).toEqual(['outer in', 'inner in', 'handler', 'inner out', 'outer out']);
  });

  test('runs middleware around the answer to unknown types too', () => {
    const mux = new ServeMux().use((next) => (task, ctx) => {
      try {
        return next(task, ctx);
      } catch {
        return 'caught';
      }
    });
    expect(answerOf(mux, 'nobody')).toBe('caught');
  });

  test.each([
    ['a blank pattern', (mux: ServeMux) => mux.handle('  ', () => {}), 'asynq: invalid pattern'],
    [
      'a taken pattern',
      (mux: ServeMux) => mux.handle('taken', () => {}),
      'asynq: multiple registrations for taken',
    ],
    ['no handler', (mux: ServeMux) => mux.handle('new', undefined as never), /as handler, got undefined$/],
    [
      'an object that is no handler',
      (mux: ServeMux) => mux.handle('new', {} as never),
      /as handler, got object$/,
    ],
  ])('refuses %s', (_, register, message) => {
    const mux = muxOf('taken');
    expect(() => register(mux)).toThrow(message);
    expect(() => register(mux)).toThrow(coded('ASYNQ_HANDLER_INVALID'));
  });
});

test('a function is its own handler function', () => {
  expect(handlerFunction(noop)).toBe(noop);
});
