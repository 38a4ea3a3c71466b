import { goQuote } from '../runtime/go-quote.ts';
import type { Inspector } from '../tasks/inspector.ts';
import type { Findings } from './output.ts';
import { visible } from './table.ts';

/** Groups of a queue. */
export async function listGroups(inspector: Inspector, queue: string): Promise<Findings> {
  const groups = await inspector.groups(queue);
  const lines = groups.map(({ group }) => `${visible(group)}\n`).join('');
  return { data: groups, text: () => lines || `No groups found in queue ${goQuote(queue)}\n` };
}
