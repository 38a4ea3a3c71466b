import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AsynqError } from '../../../src/runtime/errors.ts';
import {
  deadlineOf,
  defaultRetryDelay,
  revokeTask,
  settlementOfFailure,
  skipRetry,
  thrownError,
} from '../../../src/server/outcome.ts';

const NOW = 1_700_000_000_500;
const policy = { retryDelay: () => 20_000, isFailure: () => true };
const fresh = { retry: 25, retried: 0 };

describe('a failed attempt', () => {
  test('is retried after the delay that the policy says', () => {
    expect(settlementOfFailure(fresh, new Error('no route'), policy, NOW)).toEqual({
      kind: 'retry',
      at: NOW + 20_000,
      error: 'no route',
      isFailure: true,
    });
  });

  test('is told to the policy with the retries so far', () => {
    const asked: unknown[] = [];
    const error = new Error('no');
    const curious = { ...policy, retryDelay: (...args: unknown[]) => asked.push(args) };
    settlementOfFailure({ retry: 25, retried: 7 }, error, curious, NOW);
    expect(asked).toEqual([[7, error]]);
  });

  test('archives the task when its retries are used up', () => {
    const last = { retry: 3, retried: 3 };
    expect(settlementOfFailure(last, new Error('no'), policy, NOW)).toEqual({ kind: 'archive', error: 'no' });
    const never = { retry: 0, retried: 0 };
    expect(settlementOfFailure(never, new Error('no'), policy, NOW).kind).toBe('archive');
  });

  test('archives a task that asks not to be retried, itself or as a cause', () => {
    expect(settlementOfFailure(fresh, skipRetry(), policy, NOW)).toEqual({
      kind: 'archive',
      error: 'skip retry for the task',
    });
    const wrapped = new Error('bad address', { cause: new Error('x', { cause: skipRetry() }) });
    expect(settlementOfFailure(fresh, wrapped, policy, NOW)).toEqual({
      kind: 'archive',
      error: 'bad address',
    });
  });

  test('deletes a task that is revoked, whatever retries it has left', () => {
    expect(settlementOfFailure(fresh, revokeTask(), policy, NOW)).toEqual({ kind: 'revoke' });
    const spent = { retry: 0, retried: 0 };
    const wrapped = new Error('obsolete', { cause: revokeTask() });
    expect(settlementOfFailure(spent, wrapped, policy, NOW)).toEqual({ kind: 'revoke' });
  });

  test('does not count when the policy says that it is no failure', () => {
    const lenient = { ...policy, isFailure: () => false };
    expect(settlementOfFailure(fresh, new Error('busy'), lenient, NOW)).toMatchObject({ isFailure: false });
  });

  test('of an error that is its own cause ends', () => {
    const error = new Error('round');
    error.cause = error;
    expect(settlementOfFailure(fresh, error, policy, NOW).kind).toBe('retry');
  });

  test('never lies in the past, whatever delay is said', () => {
    const eager = { ...policy, retryDelay: () => -5_000 };
    expect(settlementOfFailure(fresh, new Error('no'), eager, NOW)).toMatchObject({ at: NOW });
  });

  test('keeps a bounded text that can be written as UTF-8', () => {
    const settlement = settlementOfFailure(fresh, new Error(`${'x'.repeat(16_383)}🦊`), policy, NOW);
    const text = settlement.kind === 'retry' ? settlement.error : '';
    expect(text).toHaveLength(16_384);
    expect(text.isWellFormed()).toBe(true);
  });
});

describe('the default delay', () => {
  test("is asynq's formula, in its bounds for every retry", () => {
    fc.assert(
      fc.property(
        fc.nat(100),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (retried, chance) => {
          const seconds = defaultRetryDelay(retried, () => chance) / 1000;
          expect(seconds).toBeGreaterThanOrEqual(retried ** 4 + 15);
          expect(seconds).toBeLessThanOrEqual(retried ** 4 + 15 + 29 * (retried + 1));
          expect(Number.isInteger(seconds)).toBe(true);
        },
      ),
    );
  });
});

describe('the deadline of an attempt', () => {
  test.each([
    ['the timeout, from its start', { timeout: 30, deadline: 0 }, NOW + 30_000],
    ['the deadline', { timeout: 0, deadline: 1_700_000_009 }, 1_700_000_009_000],
    ['the earlier of both', { timeout: 30, deadline: 1_700_000_009 }, 1_700_000_009_000],
    ['the earlier of both', { timeout: 3, deadline: 1_700_000_009 }, NOW + 3_000],
    ['half an hour when the message says nothing', { timeout: 0, deadline: 0 }, NOW + 1_800_000],
  ])('is %s', (_, message, expected) => {
    expect(deadlineOf(message, NOW)).toBe(expected);
  });
});

describe('what was thrown', () => {
  test('stays itself when it is an Error', () => {
    const error = new TypeError('x is not a function');
    expect(thrownError(error)).toBe(error);
  });

  test.each([
    ['nothing at all', undefined, 'panic: undefined'],
    ['a text', 'oops', 'panic: oops'],
    ['an object', { status: 503 }, 'panic: { status: 503 }'],
    ['an object without a prototype', Object.create(null) as object, 'panic: [Object: null prototype] {}'],
    ['a symbol', Symbol('s'), 'panic: Symbol(s)'],
  ])('becomes an error when it is %s', (_, thrown, text) => {
    const error = thrownError(thrown);
    expect(error.message).toBe(text);
    expect(AsynqError.is(error, 'ASYNQ_HANDLER_PANIC')).toBe(true);
    expect(error.cause).toBe(thrown);
  });
});
