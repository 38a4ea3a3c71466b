import { InvalidArgumentError } from 'commander';
import { goQuote } from '../runtime/go-quote.ts';
import type { Inspector } from '../tasks/inspector.ts';
import type { BulkOptions } from '../tasks/inspector-options.ts';
import type { BULK_STATES, BulkFlags, BulkVerb } from './bulk-states.ts';
import { type BulkOutcome, bulkWork } from './bulk-work.ts';
import type { Context } from './context.ts';
import type { Findings } from './output.ts';
import { INTERRUPTED } from './program.ts';

/** Tasks, and what is to be done to them; `group` is set for aggregating ones. */
interface BulkWanted {
  readonly verb: BulkVerb;
  readonly queue: string;
  readonly state: string;
  readonly group: string;
  readonly run: Bulk;
}

type Bulk = (
  inspector: Inspector,
  of: { readonly queue: string; readonly group: string },
  options: BulkOptions,
) => Promise<number>;

type States<V extends BulkVerb> = (typeof BULK_STATES)[V][number];

const BULKS: { readonly [V in BulkVerb]: Readonly<Record<States<V>, Bulk>> } = {
  archive: {
    pending: (inspector, { queue }, options) => inspector.archiveAllPendingTasks(queue, options),
    scheduled: (inspector, { queue }, options) => inspector.archiveAllScheduledTasks(queue, options),
    retry: (inspector, { queue }, options) => inspector.archiveAllRetryTasks(queue, options),
    aggregating: (inspector, { queue, group }, options) =>
      inspector.archiveAllAggregatingTasks(queue, group, options),
  },
  delete: {
    pending: (inspector, { queue }, options) => inspector.deleteAllPendingTasks(queue, options),
    scheduled: (inspector, { queue }, options) => inspector.deleteAllScheduledTasks(queue, options),
    retry: (inspector, { queue }, options) => inspector.deleteAllRetryTasks(queue, options),
    archived: (inspector, { queue }, options) => inspector.deleteAllArchivedTasks(queue, options),
    completed: (inspector, { queue }, options) => inspector.deleteAllCompletedTasks(queue, options),
    aggregating: (inspector, { queue, group }, options) =>
      inspector.deleteAllAggregatingTasks(queue, group, options),
  },
  run: {
    scheduled: (inspector, { queue }, options) => inspector.runAllScheduledTasks(queue, options),
    retry: (inspector, { queue }, options) => inspector.runAllRetryTasks(queue, options),
    archived: (inspector, { queue }, options) => inspector.runAllArchivedTasks(queue, options),
    aggregating: (inspector, { queue, group }, options) =>
      inspector.runAllAggregatingTasks(queue, group, options),
  },
};

const WORDS: Readonly<Record<BulkVerb, { doing: string; done: string; result: string }>> = {
  archive: { doing: 'archiving', done: 'archived', result: 'archived' },
  delete: { doing: 'deleting', done: 'deleted', result: 'deleted' },
  run: { doing: 'running', done: 'are now pending', result: 'pending' },
};

/** @throws {InvalidArgumentError} in Go's words */
export function parseBulkFlags(verb: BulkVerb, { queue, state, group = '' }: BulkFlags): BulkWanted {
  const bulks: Readonly<Record<string, Bulk>> = BULKS[verb];
  const run = Object.hasOwn(bulks, state) ? bulks[state] : undefined;
  if (run === undefined) {
    const expected = Object.keys(bulks).join(', ');
    throw new InvalidArgumentError(`unsupported state ${goQuote(state)}: expected ${expected}`);
  }
  if (state === 'aggregating' && group === '') {
    throw new InvalidArgumentError('flag --group is required for aggregating tasks');
  }
  return { verb, queue, state, group, run };
}

/** Does it, and says to how many; what Ctrl-C left undone is said, too, and is no success. */
export async function changeAll(
  inspector: Inspector,
  wanted: BulkWanted,
  context: Context,
): Promise<Findings> {
  const { verb, queue, state, group, run } = wanted;
  const words = WORDS[verb];
  const outcome = await bulkWork(context, `${words.doing} ${state} tasks`, (options) =>
    run(inspector, { queue, group }, options),
  );
  const { done, isInterrupted } = outcome;
  return {
    data: { queue, state, group: group || undefined, result: words.result, tasks: done, isInterrupted },
    text: () => `${done} tasks ${words.done}\n`,
    ...(isInterrupted && { failures: [leftText(outcome)], exitCode: INTERRUPTED }),
  };
}

function leftText({ left }: BulkOutcome): string {
  return `interrupted: ${left === undefined ? 'the others' : `the other ${left}`} are as they were`;
}
