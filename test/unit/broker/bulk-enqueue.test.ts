import { expect, it } from 'vitest';
import type { Enqueueing } from '../../../src/broker/broker.ts';
import { BulkEnqueue } from '../../../src/broker/bulk-enqueue.ts';
import type { EnqueueCalls, NewTask } from '../../../src/broker/enqueue-calls.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { taskMessage } from '../../support/task-messages.ts';
import { until } from '../../support/until.ts';

type Run = EnqueueCalls['run'];

function bulkOn(run: Run, limits: { maxItems?: number; maxBytes?: number } = {}, ensure = () => undefined) {
  return new BulkEnqueue({
    calls: { run },
    registry: { ensure },
    limits: { maxItems: 3, maxBytes: 1 << 20, bytesOf: ({ msg }) => msg.byteLength, ...limits },
  });
}

const idsOf = (items: readonly NewTask[]) => items.map(({ task }) => task.message.id);

const task = (id: string, queue = 'q'): Enqueueing => ({ message: taskMessage({ id, queue }) });

it('makes one call of those that go together, full ones first, and each hears its own', async () => {
  const calls: string[][] = [];
  const refused = new AsynqError('ASYNQ_TASK_ID_CONFLICT');
  const bulk = bulkOn(async (items) => {
    calls.push(idsOf(items));
    return items.map(({ task: { message } }) => (message.id === 'b2' ? refused : undefined));
  });
  const outcomes = await bulk.run([
    task('a1', 'a'),
    task('b1', 'b'),
    { ...task('a2', 'a'), processAt: 5_000 },
    task('a3', 'a'),
    task('b2', 'b'),
    { ...task('a4', 'a'), group: 'g' },
    task('a5', 'a'),
    task('a6', 'a'),
  ]);
  expect(calls).toEqual([['a1', 'a3', 'a5'], ['b1', 'b2'], ['a2'], ['a4'], ['a6']]);
  expect(outcomes).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    refused,
    undefined,
    undefined,
    undefined,
  ]);
});

it('closes a batch that holds enough bytes', async () => {
  const calls: string[][] = [];
  const bulk = bulkOn(
    async (items) => {
      calls.push(idsOf(items));
      return items.map(() => undefined);
    },
    { maxBytes: 1 },
  );
  await bulk.run([task('1'), task('2')]);
  expect(calls).toEqual([['1'], ['2']]);
});

it('reads on only while few calls are on their way', async () => {
  let read = 0;
  function* tasks() {
    for (; read < 300; read++) yield task(String(read));
  }
  const waiting: (() => void)[] = [];
  const bulk = bulkOn(async (items) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return items.map(() => undefined);
  });
  const all = bulk.run(tasks());
  await until(() => waiting.length === 8, { what: 'as many calls as may be' });
  await new Promise(setImmediate);
  expect(read).toBe(23); // the 24th is on its way, and the next not asked for
  for (let done = 0; done < 100; done++) {
    await until(() => waiting.length > 0, { what: 'the next call' });
    waiting.shift()?.();
  }
  expect(await all).toHaveLength(300);
});

it('tells those of a call that failed, and of one that cannot be written, and no other', async () => {
  const away = new AsynqError('ASYNQ_REDIS_UNREACHABLE');
  const bulk = bulkOn(async (items) => {
    if (idsOf(items).includes('bad')) throw away;
    return items.map(() => undefined);
  });
  const outcomes = await bulk.run([
    task('1'),
    task('half\ud800'),
    task('2'),
    task('bad', 'other'),
    task('worse', 'other'),
    task('3'),
  ]);
  expect(outcomes).toEqual([
    undefined,
    expect.objectContaining({ code: 'ASYNQ_OPTION_INVALID' }),
    undefined,
    away,
    away,
    undefined,
  ]);
});

it('tells the tasks of a queue that cannot be listed', async () => {
  const away = new AsynqError('ASYNQ_REDIS_UNREACHABLE');
  const bulk = new BulkEnqueue({
    calls: { run: async (items) => items.map(() => undefined) },
    registry: { ensure: (queue) => (queue === 'away' ? Promise.reject(away) : undefined) },
    limits: { maxItems: 3, maxBytes: 1 << 20, bytesOf: () => 1 },
  });
  expect(await bulk.run([task('1', 'away'), task('2')])).toEqual([away, undefined]);
});

it('finishes what was read before the reading failed', async () => {
  const calls: string[][] = [];
  function* tasks() {
    yield task('1');
    throw new Error('no more');
  }
  const bulk = bulkOn(async (items) => {
    calls.push(idsOf(items));
    return items.map(() => undefined);
  });
  await expect(bulk.run(tasks())).rejects.toThrow('no more');
  expect(calls).toEqual([['1']]);
});
