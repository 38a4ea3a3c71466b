import type { Clock } from '../runtime/clock.ts';
import type { BulkOptions } from '../tasks/inspector-options.ts';
import { ProgressBar } from './progress.ts';
import type { Terminal } from './terminal.ts';

export interface BulkOutcome {
  readonly done: number;
  /** Tasks that there were at the start; undefined when it ended before anybody knew. */
  readonly total: number | undefined;
  /** Ctrl-C came before the end. */
  readonly isInterrupted: boolean;
}

/** Runs work on many tasks: shows how far it has come, and lets Ctrl-C end it between two batches. */
export async function bulkWork(
  { terminal, clock }: { readonly terminal: Terminal; readonly clock: Clock },
  label: string,
  work: (options: BulkOptions) => Promise<number>,
): Promise<BulkOutcome> {
  using interruption = terminal.interruptible();
  using bar = new ProgressBar(terminal, clock, label);
  const { signal } = interruption;
  let total: number | undefined;
  const onProgress = (done: number, of: number) => {
    total = of;
    bar.update(done, of);
  };
  const done = await work({ signal, onProgress });
  return { done, total, isInterrupted: signal.aborted && (total === undefined || done < total) };
}
