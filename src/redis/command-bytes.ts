import { isUint8Array } from 'node:util/types';
import { AsynqError } from '../runtime/errors.ts';
import { kindOf } from '../runtime/kind-of.ts';
import { Scratch } from '../runtime/scratch.ts';
import type { RedisArg } from './router.ts';

const out = new Scratch();

/** `*` or `$`, a number and a line's end, at most. */
const HEAD_BYTES = 16;
const LINE_END_BYTES = 2;

const ARRAY = 0x2a;
const BULK = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;

/**
 * A command as it goes over the wire (RESP). The driver takes each argument for itself, in pieces: for a script call with
 * the keys and messages of a hundred tasks that costs several times as much as writing them one behind the other.
 *
 * @throws ASYNQ_OPTION_INVALID for what cannot be written, from programs without types
 */
export function commandBytes(name: string, args: readonly RedisArg[]): Buffer {
  if (!Array.isArray(args)) throw unwritable(name, 'a list of arguments', args);
  out.clear();
  out.reserve(HEAD_BYTES);
  writeHead(ARRAY, args.length + 1);
  writeText(name);
  for (const arg of args) {
    if (typeof arg === 'string') writeText(arg);
    else if (typeof arg === 'number') writeText(String(arg));
    else if (isUint8Array(arg)) writeBytes(arg);
    else throw unwritable(name, 'arguments that are text, numbers or bytes (Uint8Array)', arg);
  }
  return out.take();
}

function writeText(text: string): void {
  out.reserve(HEAD_BYTES + 3 * text.length + LINE_END_BYTES);
  const start = out.end;
  writeHead(BULK, text.length);
  const length = out.bytes.write(text, out.end);
  if (length !== text.length) {
    // There is more than ASCII in it, and its length was another.
    out.end = start;
    writeHead(BULK, length);
    out.bytes.write(text, out.end);
  }
  out.end += length;
  writeLineEnd();
}

function writeBytes(bytes: Uint8Array): void {
  out.reserve(HEAD_BYTES + bytes.byteLength + LINE_END_BYTES);
  writeHead(BULK, bytes.byteLength);
  out.add(bytes);
  writeLineEnd();
}

function writeHead(type: number, count: number): void {
  const { bytes, end } = out;
  bytes[end] = type;
  out.end += 1 + digitsOf(count);
  for (let at = out.end - 1, rest = count; at > end; at--, rest = Math.floor(rest / 10)) {
    bytes[at] = ZERO + (rest % 10);
  }
  writeLineEnd();
}

function digitsOf(count: number): number {
  let digits = 1;
  for (let power = 10; count >= power; power *= 10) digits++;
  return digits;
}

function writeLineEnd(): void {
  out.bytes[out.end++] = CR;
  out.bytes[out.end++] = LF;
}

/** Names the command, not its arguments: payloads, or a password. */
function unwritable(name: string, expected: string, got: unknown): AsynqError {
  return new AsynqError('ASYNQ_OPTION_INVALID', `${name}: expected ${expected}, got ${kindOf(got)}`);
}
