import type { Clock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { BulkOptions } from '../tasks/inspector-options.ts';
import { ProgressBar } from './progress.ts';
import type { Terminal } from './terminal.ts';

export interface BulkOutcome {
  /** Fewer than were looked at when others were faster with some. */
  readonly done: number;
  /** Tasks that were not looked at; undefined when it ended before anybody knew how many there are. */
  readonly left: number | undefined;
  /** Ctrl-C came before the end. */
  readonly isInterrupted: boolean;
}

/**
 * Runs work on many tasks: shows how far it has come, and lets Ctrl-C end it between two batches.
 * @throws what the work throws, with how far it came
 */
export async function bulkWork(
  { terminal, clock }: { readonly terminal: Terminal; readonly clock: Clock },
  label: string,
  work: (options: BulkOptions) => Promise<number>,
): Promise<BulkOutcome> {
  using interruption = terminal.interruptible();
  using bar = new ProgressBar(terminal, clock, label);
  const { signal } = interruption;
  let seen = 0;
  let total: number | undefined;
  const onProgress = (now: number, of: number) => {
    seen = now;
    total = of;
    bar.update(now, of);
  };
  try {
    const done = await work({ signal, onProgress });
    const left = total === undefined ? undefined : total - seen;
    return { done, left, isInterrupted: signal.aborted && left !== 0 };
  } catch (error) {
    if (total === undefined || !AsynqError.is(error)) throw error;
    const text = `${error.message}; ${seen} of ${total} tasks were looked at before`;
    throw new AsynqError(error.code, text, { cause: error });
  }
}
