import type { Clock } from '../runtime/clock.ts';
import type { Inspector } from '../tasks/inspector.ts';
import type { SchedulerEntry } from '../tasks/scheduler-info.ts';
import { bytesData, bytesText } from './bytes-text.ts';
import type { Findings } from './output.ts';
import { renderTable } from './table.ts';
import { agoText, spanText } from './time-text.ts';

/** Periodic tasks of running schedulers, in the order of their specs. */
export async function listEntries(inspector: Inspector, clock: Clock): Promise<Findings> {
  const found = await inspector.schedulerEntries();
  const entries = found.toSorted((a, b) => compare(a.spec, b.spec) || compare(a.id, b.id));
  return {
    data: entries.map(entryData),
    text: () => (entries.length === 0 ? 'No scheduler entries\n' : entryTable(entries, clock.now())),
  };
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function entryData({ id, spec, task, optionTexts, next, prev }: SchedulerEntry): object {
  const { text, base64 } = bytesData(task.payload.bytes);
  return {
    id,
    spec,
    type: task.type,
    payload: text,
    payloadBase64: base64,
    options: optionTexts,
    next,
    prev,
  };
}

function entryTable(entries: readonly SchedulerEntry[], nowMs: number): string {
  return renderTable(
    ['EntryID', 'Spec', 'Type', 'Payload', 'Options', 'Next', 'Prev'],
    entries.map(({ id, spec, task, optionTexts, next, prev }) => [
      id,
      spec,
      task.type,
      bytesText(task.payload.bytes),
      `[${optionTexts.join(' ')}]`,
      nextText(next, nowMs),
      prev === undefined ? 'N/A' : agoText(prev, nowMs),
    ]),
  );
}

/** Go's CLI says `Now` of an entry that will never run again. */
function nextText(next: Date | undefined, nowMs: number): string {
  if (next === undefined) return 'N/A';
  const ms = next.getTime() - nowMs;
  return ms <= -500 ? 'Now' : `In ${spanText(Math.max(0, ms))}`;
}
