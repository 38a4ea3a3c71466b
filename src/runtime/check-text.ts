import { AsynqError } from './errors.ts';

/** For programs without types. @throws ASYNQ_OPTION_INVALID */
export function checkText(what: string, value: string): void {
  if (typeof value === 'string') return;
  throw new AsynqError('ASYNQ_OPTION_INVALID', `${what}: expected text, got ${typeof value}`);
}
