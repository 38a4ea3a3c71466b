import type { Clock } from '../runtime/clock.ts';
import type { Inspector } from '../tasks/inspector.ts';
import type { TaskInfo } from '../tasks/task-info.ts';
import type { Bold, Findings } from './output.ts';
import { visible } from './table.ts';
import { taskData } from './task-data.ts';
import { pastText, spanText } from './time-text.ts';

/** One task. */
export async function inspectTask(
  inspector: Inspector,
  queue: string,
  id: string,
  clock: Clock,
): Promise<Findings> {
  const info = await inspector.getTaskInfo(queue, id);
  return { data: taskData(info), text: (bold) => infoText(info, clock.now(), bold) };
}

/** What Go's CLI tells of a task. Pure. */
function infoText(info: TaskInfo, nowMs: number, bold: Bold): string {
  const lines = [
    bold('Task Info'),
    `Queue:   ${visible(info.queue)}`,
    `ID:      ${visible(info.id)}`,
    `Type:    ${visible(info.type)}`,
    `State:   ${info.state}`,
    `Retried: ${info.retried}/${info.maxRetry}`,
    '',
    `Next process time: ${nextText(info.nextProcessAt, nowMs)}`,
  ];
  if (info.lastErr !== '') {
    lines.push(
      '',
      bold('Last Failure'),
      `Failed at:     ${pastText(info.lastFailedAt)}`,
      `Error message: ${visible(info.lastErr)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function nextText(time: Date | undefined, nowMs: number): string {
  if (time === undefined) return 'n/a';
  const ms = time.getTime() - nowMs;
  return ms > 0 ? `${pastText(time)} (in ${spanText(ms)})` : 'now';
}
