import { AsynqError, type ErrorCode } from '../../src/runtime/errors.ts';

/** The code of the error of ours that a call ends with. */
export async function codeOf(call: Promise<unknown>): Promise<ErrorCode | 'no error'> {
  try {
    await call;
    return 'no error';
  } catch (error) {
    if (AsynqError.is(error)) return error.code;
    throw error;
  }
}
