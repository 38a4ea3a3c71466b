import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AsynqError } from '../../../src/runtime/errors.ts';
import type { AggregateContext } from '../../../src/server/group-aggregator.ts';
import type { TaskContext } from '../../../src/server/handler.ts';
import { loadHandlers } from '../../../src/server/handler-loader.ts';
import { handlerFunction } from '../../../src/server/mux.ts';
import { Task } from '../../../src/tasks/task.ts';

const LOADER = new URL('../../../src/server/handler-loader.ts', import.meta.url).href;

let dir: string;
let count = 0;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'handlers-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function moduleOf(source: string): Promise<string> {
  const path = join(dir, `${++count}.mjs`);
  await writeFile(path, source);
  return path;
}

async function answerOf(source: string, type: string): Promise<unknown> {
  const { handler } = await loadHandlers(await moduleOf(source));
  return handlerFunction(handler)(new Task(type), {} as TaskContext);
}

describe('a handlers module', () => {
  test('may export a function', async () => {
    expect(await answerOf('export default (task) => task.type', 'a')).toBe('a');
    expect(await answerOf('export default async function handle(task) { return task.type }', 'a')).toBe('a');
  });

  test('may export an object of task type -> handler, with prefixes as in a mux', async () => {
    const source =
      'export default { "email:": () => "any", "email:welcome": { processTask: () => "welcome" } }';
    expect(await answerOf(source, 'email:bye')).toBe('any');
    expect(await answerOf(source, 'email:welcome')).toBe('welcome');
  });

  test('may export a mux, be it of another copy of the library', async () => {
    const source =
      'class ServeMux { #type = "own"; processTask() { return this.#type } } export default new ServeMux()';
    expect(await answerOf(source, 'a')).toBe('own');
  });

  test('may wait for something before it is there', async () => {
    expect(await answerOf('await null; export default () => "late"', 'a')).toBe('late');
  });

  test('may export an aggregator beside them', async () => {
    const handlers = 'export default () => {};';
    const without = await loadHandlers(await moduleOf(handlers));
    expect(without.aggregate).toBeUndefined();
    const source = `${handlers} export function aggregate(group, tasks) { return [group, tasks.length] }`;
    const { aggregate } = await loadHandlers(await moduleOf(source));
    expect(aggregate?.('g', [new Task('t')], {} as AggregateContext)).toEqual(['g', 1]);
  });

  const expected =
    'expected a default export that is a ServeMux, a handler function or an object of task type -> handler';

  test.each([
    ['nothing', 'export const handler = () => {}', `${expected}, got no default export`],
    ['null', 'export default null', `${expected}, got null`],
    ['a text', 'export default "handle"', `${expected}, got a string`],
    ['an array', 'export default [() => {}]', `${expected}, got an array`],
    ['a class', 'export default class Mux { processTask() {} }', `${expected}, got the class Mux`],
    ['an empty object', 'export default {}', `${expected}, got an object without any`],
    ['a blank type', 'export default { "": () => {} }', 'task type "": asynq: invalid pattern'],
    [
      'a handler that is none',
      'export default { a: 1 }',
      /^task type "a": expected a function or an object .*, got number$/,
    ],
    [
      'an aggregator that is none',
      'export default () => {}; export const aggregate = {}',
      'expected a function as export aggregate, got an object',
    ],
    ['bad syntax', 'export default {', 'expected an ES module that loads, got '],
    [
      'an error',
      '\nfunction connect() { throw new Error("no\\n  database") }\nconnect();',
      /^expected an ES module that loads, got Error: no database at \/.*\.mjs:2:28$/,
    ],
    [
      'an import of nothing',
      'import "./nowhere.mjs"',
      /^expected an ES module that loads, got Error: Cannot find module/,
    ],
  ])('is refused in one line when it has %s', async (_, source, problem) => {
    const path = await moduleOf(source);
    const error: unknown = await loadHandlers(path).catch((thrown: unknown) => thrown);
    expect(AsynqError.is(error, 'ASYNQ_HANDLERS_MODULE')).toBe(true);
    const { message } = error as Error;
    expect(message).not.toContain('\n');
    expect(message.startsWith(`handlers module ${path}: `)).toBe(true);
    expect(message.slice(`handlers module ${path}: `.length)).toMatch(problem);
  });

  // Not in here: vitest parses modules in its own way.
  test.each([
    ['export default () => {};\nconst a = {;\n', /got SyntaxError: Unexpected token ';' at \/.*\.mjs:2$/],
    ['import { no } from "node:fs";', /does not provide an export named 'no' at \/.*\.mjs:1$/],
    ['import "./nowhere.mjs";', /Cannot find module '.*' imported from \/.*\.mjs$/],
  ])('is refused with the place where Node cannot take it: %j', async (source, problem) => {
    const path = await moduleOf(source);
    const script = `
      const { loadHandlers } = await import(${JSON.stringify(LOADER)});
      await loadHandlers(${JSON.stringify(path)}).catch((error) => console.log(error.message));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout.trim()).toMatch(problem);
  });

  test('that is not there is refused with its path', async () => {
    await expect(loadHandlers('/nowhere/handlers.js')).rejects.toThrow(
      'handlers module /nowhere/handlers.js: expected an ES module, got no such file',
    );
  });
});
