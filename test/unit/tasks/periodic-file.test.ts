import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { periodicTaskFile, readPeriodicTasks } from '../../../src/tasks/periodic-file.ts';
import { anyText } from '../../support/any-text.ts';

const dir = await mkdtemp(join(tmpdir(), 'periodic-'));
afterAll(() => rm(dir, { recursive: true }));

const signal = new AbortController().signal;

function faultsOf(text: string): string[] {
  try {
    readPeriodicTasks(text, 'f');
    return [];
  } catch (error) {
    if (AsynqError.is(error, 'ASYNQ_PERIODIC_TASKS_INVALID')) return error.message.split('\n');
    throw error;
  }
}

const YAML = `
tasks:
  - spec: CRON_TZ=Europe/Berlin 0 6 * * MON-FRI
    type: report:daily
    payload: &payload { team: sales, sizes: [1, null] }
    queue: imágenes
    timeoutSeconds: 600
    headers: { trace: '1' }
  - { spec: '@every 90s', type: tick }
  - { spec: '@daily', type: again, payload: *payload, maxRetry: 0 }
`;

it('reads tasks from YAML', () => {
  const tasks = readPeriodicTasks(YAML, 'f');
  expect(tasks.map(({ spec, task }) => [spec, task.type, task.payload.text(), task.options])).toEqual([
    [
      'CRON_TZ=Europe/Berlin 0 6 * * MON-FRI',
      'report:daily',
      '{"team":"sales","sizes":[1,null]}',
      { queue: 'imágenes', timeoutSeconds: 600, headers: { trace: '1' } },
    ],
    ['@every 90s', 'tick', '', {}],
    ['@daily', 'again', '{"team":"sales","sizes":[1,null]}', { maxRetry: 0 }],
  ]);
  expect(tasks[1]?.task.payload.isNil).toBe(true);
});

it('reads tasks from JSON', () => {
  const [periodic] = readPeriodicTasks('{"tasks":[{"spec":"@daily","type":"t","payload":"x"}]}', 'f');
  expect([periodic?.spec, periodic?.task.payload.text()]).toEqual(['@daily', '"x"']);
  expect(readPeriodicTasks('tasks: []', 'f')).toEqual([]);
});

it('names every fault with its line and field', () => {
  const text = `tasks:
  - spec: '* * *'
    type: t
  - type: 5
    que: x
    maxRetry: '3'
    headers: { a: 1 }
  - spec: '@daily'
    type: t
    uniqueSeconds: 0.5
  - nope
  - spec: '@daily'
    type: t
    payload: &a [*a]
`;
  expect(faultsOf(text)).toEqual([
    'f:2:11: tasks[0].spec: expected exactly 5 fields, found 3: [* * *]',
    expect.stringMatching(/^f:5:5: tasks\[1\]\.que: expected one of spec, type, payload, queue, /),
    'f:4:5: tasks[1].spec: expected a string, got nothing',
    'f:4:11: tasks[1].type: expected a string, got 5',
    'f:6:15: tasks[1].maxRetry: expected a number, got "3"',
    'f:7:14: tasks[1].headers: expected strings by name, got a map',
    'f:8:5: tasks[2]: Unique TTL cannot be less than 1s',
    expect.stringMatching(/^f:11:5: tasks\[3\]: expected a map with spec, .*, got "nope"$/),
    expect.stringMatching(/^f:14:17: tasks\[4\]\.payload: expected what JSON can say: /),
  ]);
});

it.each([
  ['', 'f:1:1: the file: expected a map with tasks, got nothing'],
  ['- a', 'f:1:1: the file: expected a map with tasks, got a list'],
  ['tasks:', 'f:1:7: tasks: expected a list, got null'],
  ['tasks: 3', 'f:1:8: tasks: expected a list, got 3'],
  ['tasks: []\nmore: 1', 'f:2:1: the file.more: expected one of tasks'],
  ['tasks: *nope', 'f:1:8: *nope: there is no &nope before it'],
  ['tasks: []\ntasks: []', 'f:2:1: Map keys must be unique'],
])('refuses %j', (text, fault) => {
  expect(faultsOf(text)[0]).toBe(fault);
});

it('brings tasks or faults, whatever the text', () => {
  const piece = fc.constantFrom(
    'tasks:',
    '\n',
    ' ',
    '- ',
    'spec: ',
    'type: t',
    "'@daily'",
    '&a ',
    '*a',
    '{',
    '}',
    '[',
    ']',
    ': ',
    '"',
  );
  const text = fc.array(piece).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(fc.oneof(text, anyText), (any) => {
      expect(faultsOf(any)).toBeInstanceOf(Array);
    }),
  );
});

it('follows a file, and says which one cannot be read', async () => {
  const path = join(dir, 'cron.yaml');
  const provider = periodicTaskFile(path);
  await expect(provider(signal)).rejects.toMatchObject({
    code: 'ASYNQ_PERIODIC_TASKS_INVALID',
    message: expect.stringContaining(`cannot read the periodic tasks of ${path}: ENOENT`),
  });
  await writeFile(path, YAML);
  expect(await provider(signal)).toHaveLength(3);
  await writeFile(path, 'tasks: []');
  expect(await provider(signal)).toEqual([]);
  await writeFile(path, 'tasks: 1');
  await expect(provider(signal)).rejects.toThrow(`${path}:1:8: tasks: expected a list, got 1`);
});
