import { errorText, isRemote } from './errors.ts';
import { logText } from './log-line.ts';
import type { Logger } from './logger.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

type Level = (typeof LEVELS)[number];

/** Values that are shown nowhere, whatever object they ride in. */
const SECRET = /^(?:password|uri|token)$/;

/**
 * What the library logs with unless it is told otherwise: lines for people, on stderr as Go's asynq has them. An error is
 * its message, and below it the stack, unless it tells of Redis.
 */
export function stderrLogger(
  least: Level,
  stream: { write(text: string): unknown } = process.stderr,
): Logger {
  return loggerTo((level, message, fields) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return;
    const { err, ...others } = fields;
    const shown = err === undefined ? others : { ...others, error: errorText(err) };
    const line = `${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${logText(message, hidden(shown))}`;
    stream.write(`${line}\n${err === undefined ? '' : stackOf(err)}`);
  });
}

type Write = (level: Level, message: string, fields: Readonly<Record<string, unknown>>) => void;

function loggerTo(write: Write, bound: Readonly<Record<string, unknown>> = {}): Logger {
  const at = (level: Level) => (fields: object, message: string) =>
    write(level, message, { ...bound, ...fields });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => loggerTo(write, { ...bound, ...fields }),
  };
}

function hidden(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, SECRET.test(key) ? '[redacted]' : plain(value)]),
  );
}

/** As JSON has it; what JSON cannot hold, such as a circle, as text. */
function plain(value: unknown): unknown {
  try {
    const json = JSON.stringify(value, (key, part: unknown) => (SECRET.test(key) ? '[redacted]' : part));
    return json === undefined ? String(value) : JSON.parse(json);
  } catch {
    return errorText(value);
  }
}

/** The frames, each on a line of its own. */
function stackOf(err: unknown): string {
  if (isRemote(err) || !(err instanceof Error)) return '';
  const frames = String(err.stack)
    .split('\n')
    .filter((line) => /^\s+at /.test(line));
  return frames.map((frame) => `${frame}\n`).join('');
}
