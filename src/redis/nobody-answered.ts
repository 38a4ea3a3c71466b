import { AsynqError, errorText } from '../runtime/errors.ts';

/** The more telling errors first: what is wrong with the configuration outweighs a node that is away. */
const TELLING = [
  'ASYNQ_CONFIG_INVALID',
  'ASYNQ_REDIS_NOT_A_CLUSTER',
  'ASYNQ_REDIS_AUTH',
  'ASYNQ_REDIS_VERSION',
] as const;

/** What to tell of candidates that all failed, with the error of `firstAnswer`; `text` says who they were. */
export function nobodyAnswered(error: unknown, text: string): AsynqError {
  const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
  const telling = TELLING.map((code) => errors.find((one) => AsynqError.is(one, code))).find(Boolean);
  const first = telling ?? errors[0];
  return AsynqError.is(first)
    ? first
    : new AsynqError('ASYNQ_REDIS_UNREACHABLE', `${text}: ${errorText(first)}`, { cause: error });
}
