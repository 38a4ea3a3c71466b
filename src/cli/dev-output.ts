import { styleText } from 'node:util';
import { logText, parseLogLine } from '../runtime/log-line.ts';
import { pad, visible } from './table.ts';

/** Something that `asynq-operator dev` has to tell. */
export type DevMessage =
  /** A line of the log, as JSON. */
  | { readonly type: 'log'; readonly line: string }
  /** A line that a worker wrote. */
  | {
      readonly type: 'output';
      readonly worker: string;
      readonly stream: 'stdout' | 'stderr';
      readonly line: string;
    }
  | {
      readonly type: 'event';
      readonly name: string;
      readonly severity: 'Normal' | 'Warning';
      readonly reason: string;
      readonly message: string;
    }
  /** What is wrong with the manifests, a line each; empty when they were mended. */
  | { readonly type: 'manifests'; readonly faults: readonly string[] }
  /** What somebody did to the manifest of an AsynqQueue. */
  | { readonly type: 'edit'; readonly name: string; readonly edit: string }
  | { readonly type: 'status'; readonly name: string; readonly status: object };

/** A line for programs. */
export function devJson(message: DevMessage): string {
  return `${JSON.stringify(message)}\n`;
}

export interface DevStyle {
  readonly color: boolean;
  /** Columns of the names at the start of the lines. */
  readonly width: number;
}

/** A line for people; statuses are not for them, the events tell the same. Pure. */
export function devLine(message: DevMessage, time: Date, { color, width }: DevStyle): string {
  if (message.type === 'status') return '';
  const paint = (style: 'dim' | 'yellow' | 'red' | 'bold', text: string) =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const line = (text: string) =>
    `${paint('dim', time.toTimeString().slice(0, 8))} ${pad(speakerOf(message), width)}  ${text}\n`;

  if (message.type === 'event') {
    const reason = paint(message.severity === 'Warning' ? 'yellow' : 'bold', message.reason);
    return line(`${reason} ${visible(message.message)}`);
  }
  if (message.type === 'edit') return line(`${paint('bold', 'Manifest')} ${visible(message.edit)}`);
  if (message.type === 'manifests') {
    if (message.faults.length === 0) return line('the manifests are right again');
    const faults = message.faults.map((fault) => line(paint('red', visible(fault))));
    return [...faults, line('what the manifests said before stands')].join('');
  }
  const { level, text } = readable(message.line);
  if (level === 'error' || level === 'fatal') return line(paint('red', visible(text)));
  return line(level === 'warn' ? paint('yellow', visible(text)) : visible(text));
}

/** Whose words these are. */
export function speakerOf(message: DevMessage): string {
  if (message.type === 'log' || message.type === 'manifests') return 'dev';
  return message.type === 'output' ? message.worker : message.name;
}

/** A JSON line of a log as `message key=value ...`; anything else as it is. */
function readable(line: string): { readonly level: string | undefined; readonly text: string } {
  const parsed = parseLogLine(line);
  if (parsed === undefined) return { level: undefined, text: line };
  return { level: parsed.level, text: logText(parsed.message, parsed.fields) };
}
