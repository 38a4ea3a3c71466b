/** A line of a JSON log, taken apart. */
export interface LogLine {
  readonly level: string | undefined;
  readonly message: string;
  /** All else; of an error, its message. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Undefined: the line is something else. */
export function parseLogLine(line: string): LogLine | undefined {
  const record = parseObject(line);
  if (typeof record?.['msg'] !== 'string') return undefined;
  const { level, time: _time, name: _name, msg, err, ...fields } = record;
  return {
    level: typeof level === 'string' ? level : undefined,
    message: msg,
    fields: err === undefined ? fields : { ...fields, error: messageOf(err) },
  };
}

/** A message and its fields on one line: `message key=value ...`. */
export function logText(message: string, fields: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${short(value)}`);
  return `${message}${pairs.join('')}`;
}

function short(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

function messageOf(err: unknown): unknown {
  return typeof err === 'object' && err !== null && 'message' in err ? err.message : err;
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
