import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RawTask, storedTask } from '../../../src/broker/stored-task.ts';
import { TASK_STATES } from '../../../src/wire/states.ts';
import { encodeTaskMessage } from '../../../src/wire/task-message.ts';
import { taskMessage } from '../../support/task-messages.ts';

const NOW = 1_700_000_000_500;
const SECOND = 1_700_000_000;

const message = taskMessage({ queue: 'q', id: 'id', payload: Buffer.from('p') });

function raw(fields: Partial<RawTask> = {}): RawTask {
  return {
    queue: 'q',
    id: 'id',
    state: 'pending',
    msg: encodeTaskMessage(message),
    result: undefined,
    dueAt: undefined,
    leaseEnd: undefined,
    ...fields,
  };
}

it.each([
  ['pending', NOW],
  ['scheduled', (SECOND + 9) * 1000],
  ['retry', (SECOND + 9) * 1000],
  ['active', undefined],
  ['archived', undefined],
  ['completed', undefined],
  ['aggregating', undefined],
] as const)('knows when a task that is %s comes next', (state, nextProcessAt) => {
  expect(storedTask(raw({ state, dueAt: SECOND + 9 }), NOW)).toMatchObject({ state, nextProcessAt });
});

it('does not know when a task comes next that is in no set', () => {
  expect(storedTask(raw({ state: 'retry' }), NOW).nextProcessAt).toBeUndefined();
});

describe('orphaned', () => {
  it.each([
    ['active', SECOND + 1, false],
    ['active', SECOND, true],
    ['active', undefined, true],
    ['pending', SECOND - 1, false],
    ['completed', undefined, false],
  ] as const)('%s with a lease that ends in %s: %s', (state, leaseEnd, isOrphaned) => {
    expect(storedTask(raw({ state, leaseEnd }), NOW).isOrphaned).toBe(isOrphaned);
  });
});

it('shows what it cannot read under the id by which it was found', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...TASK_STATES),
      fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }),
      (state, msg) => {
        const task = storedTask(raw({ state, msg }), NOW);
        expect(task.message).toMatchObject({ id: 'id', queue: 'q', type: 'asynq:unreadable' });
        expect(task.message.errorMsg).not.toBe('');
        expect([...task.message.payload]).toEqual([...(msg ?? [])]);
      },
    ),
  );
});

it("does not take another task's message for its own", () => {
  const { message: shown } = storedTask(raw({ id: 'other' }), NOW);
  expect(shown).toMatchObject({ id: 'other', errorMsg: expect.stringContaining('got one of "id"') });
});
