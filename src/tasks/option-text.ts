import { AsynqError } from '../runtime/errors.ts';
import { formatGoDuration, parseGoDuration } from '../runtime/go-duration.ts';
import { goQuote, goUnquote } from '../runtime/go-quote.ts';
import { formatUnixDate } from '../runtime/unix-date.ts';
import type { TaskOptions } from './options.ts';

type Printer<K extends keyof TaskOptions> = (value: NonNullable<TaskOptions[K]>) => string | string[];

const PRINTERS: { readonly [K in keyof Required<TaskOptions>]: Printer<K> } = {
  maxRetry: (count) => `MaxRetry(${Math.max(0, count)})`,
  queue: (name) => `Queue(${goQuote(name)})`,
  taskId: (id) => `TaskID(${goQuote(id)})`,
  timeoutSeconds: (seconds) => `Timeout(${span(seconds)})`,
  deadline: (time) => `Deadline(${unixDate(time)})`,
  uniqueSeconds: (seconds) => `Unique(${span(seconds)})`,
  processAt: (time) => `ProcessAt(${unixDate(time)})`,
  processInSeconds: (seconds) => `ProcessIn(${span(seconds)})`,
  retentionSeconds: (seconds) => `Retention(${span(seconds)})`,
  group: (name) => `Group(${goQuote(name)})`,
  headers: (all) => Object.entries(all).map((pair) => `Header(${JSON.stringify(pair)})`),
};

/**
 * The options as Go prints them (asynq `Option.String`), e.g. `Queue("mail")`, `Timeout(1m30s)`; headers as the Go that
 * comes after v0.26 does. Options that are not there are not printed.
 */
export function optionTexts(options: TaskOptions): string[] {
  return (Object.keys(PRINTERS) as (keyof TaskOptions)[]).flatMap((name) => textOf(name, options[name]));
}

function textOf<K extends keyof TaskOptions>(name: K, value: TaskOptions[K]): string | string[] {
  if (value === undefined) return [];
  const print: Printer<K> = PRINTERS[name];
  return print(value);
}

/**
 * The options of such texts, whoever wrote them; the last of a kind wins. What is none is left out, and so is a time in a
 * zone that its letters do not name for sure (`IST` are three): a scheduler's entries are there to be looked at.
 */
export function parseOptionTexts(texts: readonly string[]): TaskOptions {
  let options: TaskOptions = {};
  for (const text of texts) {
    const [, kind = '', argument = ''] = /^(\w+)\((.*)\)$/s.exec(text) ?? [];
    options = { ...options, ...optionOf(kind, argument, options) };
  }
  return options;
}

function optionOf(kind: string, argument: string, earlier: TaskOptions): TaskOptions | undefined {
  switch (kind) {
    case 'MaxRetry':
      return /^\d+$/.test(argument) ? { maxRetry: Number(argument) } : undefined;
    case 'Queue':
      return some('queue', goUnquote(argument));
    case 'TaskID':
      return some('taskId', goUnquote(argument));
    case 'Group':
      return some('group', goUnquote(argument));
    case 'Timeout':
      return some('timeoutSeconds', secondsOf(argument));
    case 'Unique':
      return some('uniqueSeconds', secondsOf(argument));
    case 'Retention':
      return some('retentionSeconds', secondsOf(argument));
    case 'ProcessIn':
      return some('processInSeconds', secondsOf(argument));
    case 'Deadline':
      return some('deadline', readUnixDate(argument));
    case 'ProcessAt':
      return some('processAt', readUnixDate(argument));
    case 'Header':
      return headerOf(argument, earlier);
    default:
      return undefined;
  }
}

function some<K extends keyof TaskOptions>(
  name: K,
  value: TaskOptions[K] | undefined,
): TaskOptions | undefined {
  return value === undefined ? undefined : { [name]: value };
}

function headerOf(json: string, { headers }: TaskOptions): TaskOptions | undefined {
  try {
    const [key, value, ...more]: unknown[] = JSON.parse(json);
    if (typeof key !== 'string' || typeof value !== 'string' || more.length > 0) return undefined;
    return { headers: { ...headers, [key]: value } };
  } catch {
    return undefined;
  }
}

function span(seconds: number): string {
  return formatGoDuration(seconds * 1000);
}

function secondsOf(text: string): number | undefined {
  try {
    return parseGoDuration(text) / 1000;
  } catch (error) {
    if (AsynqError.is(error)) return undefined;
    throw error;
  }
}

function unixDate(time: Date): string {
  return formatUnixDate(time, 'UTC');
}

const UNIX_DATE = /^\w{3} (\w{3} [ \d]\d \d\d:\d\d:\d\d) (?:UTC|GMT|([+-]\d\d)(\d\d)?) (\d{4})$/;

function readUnixDate(text: string): Date | undefined {
  const [all, dayAndTime, hours = '+00', minutes = '00', year] = UNIX_DATE.exec(text) ?? [];
  if (all === undefined) return undefined;
  const time = new Date(`${dayAndTime} ${year} ${hours}${minutes}`);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
