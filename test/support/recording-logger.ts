import type { Logger } from '../../src/runtime/logger.ts';

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  /** Those of the line, over those of the children that it went through. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Keeps what is logged, also through its children, for a test to look at. */
export class RecordingLogger implements Logger {
  readonly entries: LogEntry[];
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(entries: LogEntry[] = [], fields: Readonly<Record<string, unknown>> = {}) {
    this.entries = entries;
    this.#fields = fields;
  }

  debug = this.#at('debug');
  info = this.#at('info');
  warn = this.#at('warn');
  error = this.#at('error');

  child(fields: Record<string, unknown>): Logger {
    return new RecordingLogger(this.entries, { ...this.#fields, ...fields });
  }

  #at(level: LogEntry['level']) {
    return (fields: object, message: string): void => {
      this.entries.push({ level, message, fields: { ...this.#fields, ...fields } });
    };
  }
}
