import { describe, expect, it } from 'vitest';
import { bulkWork } from '../../../src/cli/bulk-work.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import type { BulkOptions } from '../../../src/tasks/inspector-options.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fakeTerminal } from './run.ts';

const terminal = fakeTerminal();
const parts = { terminal, clock: new FakeClock() };

const run = (work: (options: BulkOptions) => number) =>
  bulkWork(parts, 'archiving retry tasks', async (options) => work(options));

describe('work on many tasks', () => {
  it('is at its end when all were looked at, though a worker was faster with some, and Ctrl-C came last', async () => {
    const outcome = await run(({ onProgress }) => {
      onProgress?.(128, 200);
      onProgress?.(200, 200);
      terminal.interrupt();
      return 190;
    });
    expect(outcome).toEqual({ done: 190, left: 0, isInterrupted: false });
  });

  it('leaves what was not looked at, not what others had moved before', async () => {
    const outcome = await run(({ onProgress }) => {
      onProgress?.(128, 200);
      terminal.interrupt();
      return 120;
    });
    expect(outcome).toEqual({ done: 120, left: 72, isInterrupted: true });
  });

  it('leaves nobody knows how much when Ctrl-C comes before the first look', async () => {
    const outcome = await run(() => {
      terminal.interrupt();
      return 0;
    });
    expect(outcome).toEqual({ done: 0, left: undefined, isInterrupted: true });
  });

  it('that fails midway says how far it came, and which error it was', async () => {
    const cause = new AsynqError('ASYNQ_REDIS_UNREACHABLE', 'nobody answers');
    const failed = run(({ onProgress }) => {
      onProgress?.(128, 200);
      throw cause;
    });
    await expect(failed).rejects.toMatchObject({
      message: 'nobody answers; 128 of 200 tasks were looked at before',
      code: 'ASYNQ_REDIS_UNREACHABLE',
      cause,
    });
  });

  it('that fails at once fails as it is', async () => {
    const cause = new AsynqError('ASYNQ_QUEUE_NOT_FOUND', 'no such queue');
    const failed = run(() => {
      throw cause;
    });
    await expect(failed).rejects.toBe(cause);
  });
});
