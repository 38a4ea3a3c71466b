import type { QueueInfo } from '../../tasks/queue-info.ts';
import type { TaskState } from '../../wire/states.ts';
import { printableText } from '../bytes-text.ts';
import { STATES } from '../queue-figures.ts';
import { spanText } from '../time-text.ts';
import type { Span } from './line.ts';

/** Characters of a cell; no screen is wider. */
export const LONGEST_CELL = 1_000;

/** `-`: nobody knows. */
export function latencyText({ latencySeconds }: QueueInfo): string {
  return latencySeconds === undefined ? '-' : spanText(latencySeconds * 1000);
}

/** In steps of 1000: `999 B`, `1.5 kB`. */
export function memoryText({ memoryUsageBytes }: QueueInfo): string {
  if (memoryUsageBytes === undefined) return '-';
  if (memoryUsageBytes < 1000) return `${memoryUsageBytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length, Math.floor(Math.log10(memoryUsageBytes) / 3));
  return `${(memoryUsageBytes / 1000 ** power).toFixed(1)} ${units[power - 1] ?? ''}`;
}

/** The failed part of what was processed today: `0.79`; `-` where nothing was. */
export function failedPart({ processed, failed }: QueueInfo): string {
  return processed === 0 ? '-' : (failed / processed).toFixed(2);
}

/** Payloads and results as Go's dash shows them; of more than `most` bytes the beginning. */
export function bytesCell(bytes: Uint8Array | undefined, most: number = LONGEST_CELL): string {
  if (bytes === undefined || bytes.byteLength === 0) return '<nil>';
  const text = printableText(bytes.subarray(0, startOfCharacter(bytes, most)));
  if (text === undefined) return '<non-printable>';
  return bytes.byteLength <= most ? text : `${text}… (${bytes.byteLength} bytes)`;
}

/** Where the UTF-8 character begins that `at` lies in. */
function startOfCharacter(bytes: Uint8Array, at: number): number {
  let start = at;
  while (start > at - 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start--;
  return start;
}

/** `Active`. */
export function stateTitle(state: TaskState): string {
  return state.charAt(0).toUpperCase() + state.slice(1);
}

/** A queue's tasks as blocks in the colours of their states, `width` of them for `most` tasks; no state but 0 is left out. */
export function bar(info: QueueInfo, most: number, width: number): Span[] {
  let count = 0;
  let drawn = 0;
  return STATES.flatMap((state) => {
    count += info[state];
    const edge = Math.ceil((count / most) * width);
    const text = '█'.repeat(Math.max(0, edge - drawn));
    drawn = Math.max(drawn, edge);
    return text === '' ? [] : [{ text, style: state }];
  });
}
