import { type DestinationStream, pino } from 'pino';
import { errorText, isRemote } from './errors.ts';
import type { Logger, LogLevel } from './logger.ts';

/** Passwords and URLs that carry them never reach a log line, whatever object they ride in. */
const REDACT = ['password', '*.password', '*.*.password', 'uri', '*.uri', 'token', '*.token'];

/** JSON lines on stdout (or `stream`): `level` by name, `time` as ISO 8601, errors with code and cause. */
export function createLogger(
  options: { level?: LogLevel; name?: string; stream?: DestinationStream } = {},
): Logger {
  const { level = 'info', name, stream } = options;
  return pino(
    {
      level,
      ...(name === undefined ? {} : { name }),
      base: name === undefined ? null : {},
      redact: { paths: REDACT, censor: '[redacted]' },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: serializedError },
    },
    stream ?? pino.destination({ dest: 1, sync: true }),
  );
}

/** Handlers throw what they like: neither a frozen error nor one with a getter that throws may cost more than detail. */
function serializedError(error: Error): object {
  if (isRemote(error)) return { type: error.name, code: error.code, message: error.message };
  try {
    return pino.stdSerializers.errWithCause(error);
  } catch {
    return { type: 'Error', message: errorText(error) };
  }
}
