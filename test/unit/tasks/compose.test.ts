import { describe, expect, it } from 'vitest';
import { compose } from '../../../src/tasks/compose.ts';
import type { TaskOptions } from '../../../src/tasks/options.ts';
import { Task } from '../../../src/tasks/task.ts';

const nowMs = Date.UTC(2026, 1, 3, 4, 5, 6, 789);
const now = Math.floor(nowMs / 1000);
const parts = { nowMs, newId: () => 'new-id' };

const composed = (options?: TaskOptions, ofTask?: TaskOptions) =>
  compose(new Task('t', { a: 1 }, ofTask), options, parts);
const message = (options?: TaskOptions, ofTask?: TaskOptions) => composed(options, ofTask).enqueueing.message;

const keyOf = (task: Task) => compose(task, { uniqueSeconds: 9 }, parts).enqueueing.message.uniqueKey;

describe('a task without options', () => {
  it('gets the defaults of asynq', () => {
    expect(composed()).toEqual({
      state: 'pending',
      nextProcessAt: nowMs,
      enqueueing: {
        message: {
          type: 't',
          payload: Buffer.from('{"a":1}'),
          headers: {},
          id: 'new-id',
          queue: 'default',
          retry: 25,
          retried: 0,
          errorMsg: '',
          timeout: 1_800,
          deadline: 0,
          uniqueKey: '',
          lastFailedAt: 0,
          retention: 0,
          completedAt: 0,
          groupKey: '',
        },
      },
    });
  });
});

describe('options', () => {
  it.each<[string, TaskOptions, object]>([
    ['queue, its case kept', { queue: 'MiXed' }, { queue: 'MiXed' }],
    ['task id', { taskId: 'mine' }, { id: 'mine' }],
    ['max retry', { maxRetry: 3 }, { retry: 3 }],
    ['max retry, none', { maxRetry: 0 }, { retry: 0 }],
    ['max retry, negative', { maxRetry: -1 }, { retry: 0 }],
    ['timeout', { timeoutSeconds: 20 }, { timeout: 20, deadline: 0 }],
    ['timeout, cut to seconds', { timeoutSeconds: 20.9 }, { timeout: 20 }],
    ['no timeout is the default one', { timeoutSeconds: 0 }, { timeout: 1_800, deadline: 0 }],
    ['deadline alone', { deadline: new Date(nowMs + 5_000) }, { timeout: 0, deadline: now + 5 }],
    [
      'timeout and deadline',
      { timeoutSeconds: 9, deadline: new Date(nowMs + 5_000) },
      { timeout: 9, deadline: now + 5 },
    ],
    ['retention', { retentionSeconds: 86_400 }, { retention: 86_400 }],
    ['group', { group: 'g 1' }, { groupKey: 'g 1' }],
    ['headers', { headers: { a: 'b' } }, { headers: { a: 'b' } }],
  ])('reach the message: %s', (_, options, expected) => {
    expect(message(options)).toMatchObject(expected);
    expect(message(undefined, options)).toMatchObject(expected);
  });

  it('of the enqueue win over those of the task, kind by kind', () => {
    const ofTask = { queue: 'a', maxRetry: 1, headers: { a: '1', b: '1' } };
    expect(message({ queue: 'b', headers: { b: '2' } }, ofTask)).toMatchObject({
      queue: 'b',
      retry: 1,
      headers: { a: '1', b: '2' },
    });
  });

  it('that are undefined are not given', () => {
    const undefinedQueue = { queue: undefined } as unknown as TaskOptions;
    expect(message(undefinedQueue, { queue: 'a' }).queue).toBe('a');
  });

  it('about the time replace each other', () => {
    const at = new Date(nowMs + 60_000);
    expect(composed({ processInSeconds: 5 }, { processAt: at }).enqueueing.processAt).toBe(nowMs + 5_000);
    expect(composed({ processAt: at }, { processInSeconds: 5 }).enqueueing.processAt).toBe(at.getTime());
    expect(composed({}, { processAt: at }).enqueueing.processAt).toBe(at.getTime());
  });
});

describe('where a task goes', () => {
  it.each<[string, TaskOptions]>([
    ['no time', {}],
    ['now', { processAt: new Date(nowMs) }],
    ['the past', { processAt: new Date(nowMs - 1) }],
    ['in no time', { processInSeconds: 0 }],
    ['some time ago', { processInSeconds: -10 }],
  ])('is pending for %s', (_, options) => {
    const { enqueueing, ...rest } = composed(options);
    expect(rest).toEqual({ state: 'pending', nextProcessAt: nowMs });
    expect(Object.keys(enqueueing)).toEqual(['message']);
  });

  it('is scheduled when its time is to come, be it in a group', () => {
    for (const options of [{ processInSeconds: 90 }, { processInSeconds: 90, group: 'g' }]) {
      expect(composed(options)).toMatchObject({ state: 'scheduled', nextProcessAt: nowMs + 90_000 });
      expect(composed(options).enqueueing).not.toHaveProperty('group');
    }
  });

  it('is its group', () => {
    const { enqueueing, ...rest } = composed({ group: 'g' });
    expect(rest).toEqual({ state: 'aggregating', nextProcessAt: undefined });
    expect(enqueueing).toMatchObject({ group: 'g' });
  });
});

describe('a unique task', () => {
  it('holds its lock for its time', () => {
    const { enqueueing } = composed({ uniqueSeconds: 60, queue: 'q' });
    expect(enqueueing.uniqueTtl).toBe(60);
    expect(enqueueing.message.uniqueKey).toBe('asynq:{q}:unique:t:bb6cb5c68df4652941caf652a366f2d8');
  });

  it('that is scheduled holds it until its time is over after that', () => {
    expect(composed({ uniqueSeconds: 60, processInSeconds: 90 }).enqueueing.uniqueTtl).toBe(150);
    expect(composed({ uniqueSeconds: 60, processAt: new Date(nowMs + 89_999) }).enqueueing.uniqueTtl).toBe(
      149,
    );
  });

  it('holds it for whole seconds', () => {
    expect(composed({ uniqueSeconds: 1.5 }).enqueueing.uniqueTtl).toBe(1);
  });

  it('is known by its payload, and no payload is not an empty one', () => {
    expect(keyOf(new Task('h'))).toBe('asynq:{default}:unique:h:');
    expect(keyOf(new Task('h', new Uint8Array()))).toBe(
      'asynq:{default}:unique:h:d41d8cd98f00b204e9800998ecf8427e',
    );
  });
});

describe('is refused:', () => {
  it.each(['', '  ', '\n'])('a blank type, %j', (type) => {
    expect(() => compose(new Task(type), undefined, parts)).toThrow(
      expect.objectContaining({ code: 'ASYNQ_TASK_TYPE_BLANK', message: 'task typename cannot be empty' }),
    );
  });

  it.each<[TaskOptions, string, string]>([
    [{ queue: ' ' }, 'ASYNQ_QUEUE_NAME_INVALID', 'queue name must contain one or more characters'],
    [{ queue: '}x' }, 'ASYNQ_QUEUE_NAME_INVALID', 'must not start with "}"'],
    [{ taskId: ' ' }, 'ASYNQ_TASK_ID_BLANK', 'task ID cannot be empty'],
    [{ group: '\t' }, 'ASYNQ_GROUP_BLANK', 'group key cannot be empty'],
    [{ uniqueSeconds: 0.9 }, 'ASYNQ_UNIQUE_TTL_TOO_SHORT', 'Unique TTL cannot be less than 1s'],
    [{ uniqueSeconds: -1 }, 'ASYNQ_UNIQUE_TTL_TOO_SHORT', 'Unique TTL cannot be less than 1s'],
    [{ uniqueSeconds: Number.NaN }, 'ASYNQ_OPTION_INVALID', 'option uniqueSeconds: expected 0, or 1 to'],
    [
      { maxRetry: 1.5 },
      'ASYNQ_OPTION_INVALID',
      'option maxRetry: expected a whole number up to 2147483647, got 1.5',
    ],
    [{ maxRetry: 2 ** 31 }, 'ASYNQ_OPTION_INVALID', 'got 2147483648'],
    [
      { timeoutSeconds: 0.5 },
      'ASYNQ_OPTION_INVALID',
      'option timeoutSeconds: expected 0, or 1 to 9223372036 seconds, got 0.5',
    ],
    [{ timeoutSeconds: -1 }, 'ASYNQ_OPTION_INVALID', 'got -1'],
    [{ timeoutSeconds: Number.POSITIVE_INFINITY }, 'ASYNQ_OPTION_INVALID', 'got Infinity'],
    [{ retentionSeconds: Number.NaN }, 'ASYNQ_OPTION_INVALID', 'option retentionSeconds'],
    [{ processInSeconds: Number.NaN }, 'ASYNQ_OPTION_INVALID', 'option processInSeconds'],
    [
      { processAt: new Date(Number.NaN) },
      'ASYNQ_OPTION_INVALID',
      'option processAt: expected a valid Date, got Invalid Date',
    ],
    [
      { deadline: '2026-01-01' as unknown as Date },
      'ASYNQ_OPTION_INVALID',
      'option deadline: expected a valid Date, got 2026-01-01',
    ],
    [
      { processAt: new Date(), processInSeconds: 1 },
      'ASYNQ_OPTION_INVALID',
      'expected processAt or processInSeconds, got both',
    ],
  ])('%o', (options, code, text) => {
    expect(() => composed(options)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(text) }),
    );
  });
});
