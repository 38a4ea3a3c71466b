import type { Inspector } from '../tasks/inspector.ts';
import type { QueueInfo } from '../tasks/queue-info.ts';
import { type Bold, type Findings, forEachName } from './output.ts';
import { errorRate, STATES } from './queue-figures.ts';
import { renderTable, SEPARATOR, visible } from './table.ts';
import { dayText } from './time-text.ts';

/** The figures of some queues; a queue that does not exist is a failure of its own. */
export async function inspectQueues(inspector: Inspector, queues: readonly string[]): Promise<Findings> {
  const { done, failures } = await forEachName(queues, (queue) => inspector.getQueueInfo(queue));
  return {
    data: done,
    text: (bold) => done.map((info) => infoText(info, bold)).join(`\n${SEPARATOR}\n\n`),
    failures,
  };
}

function infoText(info: QueueInfo, bold: Bold): string {
  const { queue, size, groups, paused, processed, failed, timestamp } = info;
  return [
    `${bold('Queue Info')}\n`,
    `Name:   ${visible(queue)}\nSize:   ${size}\nGroups: ${groups}\nPaused: ${paused}\n`,
    `\n${bold('Task Count by State')}\n`,
    renderTable(STATES, [STATES.map((state) => String(info[state]))]),
    `\n${bold(`Daily Stats ${dayText(timestamp)} UTC`)}\n`,
    renderTable(
      ['processed', 'failed', 'error rate'],
      [[String(processed), String(failed), errorRate(processed, failed)]],
    ),
  ].join('');
}
