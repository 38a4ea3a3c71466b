import { AsynqError, errorText } from '../runtime/errors.ts';

/** Runs a decoder; bytes that it cannot read become ASYNQ_MESSAGE_UNREADABLE with its error as the cause. */
export function decoding<T>(what: string, bytes: Uint8Array, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    const text = `expected ${what}, got ${bytes.byteLength} bytes that are none: ${errorText(cause)}`;
    throw new AsynqError('ASYNQ_MESSAGE_UNREADABLE', text, { cause });
  }
}

/** Runs an encoder; values that the wire cannot hold become ASYNQ_OPTION_INVALID with its error as the cause. */
export function encoding<T>(what: string, encode: () => T): T {
  try {
    return encode();
  } catch (cause) {
    throw new AsynqError('ASYNQ_OPTION_INVALID', `cannot encode ${what}: ${errorText(cause)}`, { cause });
  }
}
