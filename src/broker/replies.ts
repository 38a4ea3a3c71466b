import type { RedisReply, Script } from '../redis/router.ts';
import { AsynqError } from '../runtime/errors.ts';

/** What was asked: a script or a plain command. */
type Asked = Pick<Script, 'name'>;

/** Neither our scripts nor Redis give such a reply: something between us does. */
function unexpected(asked: Asked, expected: string): AsynqError {
  return new AsynqError('ASYNQ_REDIS_COMMAND', `${asked.name}: expected ${expected} as its reply`);
}

export function integer(asked: Asked, reply: RedisReply | undefined): number {
  if (typeof reply === 'number') return reply;
  throw unexpected(asked, 'an integer');
}

export function bytes(asked: Asked, reply: RedisReply | undefined): Buffer {
  if (Buffer.isBuffer(reply)) return reply;
  throw unexpected(asked, 'bytes');
}

export function list(asked: Asked, reply: RedisReply | undefined): RedisReply[] {
  if (Array.isArray(reply)) return reply;
  throw unexpected(asked, 'an array');
}

export function integers(asked: Asked, reply: RedisReply, count: number): number[] {
  const all = list(asked, reply);
  if (all.length !== count) throw unexpected(asked, `${count} results`);
  return all.map((one) => integer(asked, one));
}

export function blobs(asked: Asked, reply: RedisReply | undefined): Buffer[] {
  return list(asked, reply).map((one) => bytes(asked, one));
}

export function texts(asked: Asked, reply: RedisReply | undefined): string[] {
  return blobs(asked, reply).map(String);
}

export function optionalBytes(asked: Asked, reply: RedisReply | undefined): Buffer | undefined {
  return reply === null ? undefined : bytes(asked, reply);
}

export function optionalText(asked: Asked, reply: RedisReply | undefined): string | undefined {
  return optionalBytes(asked, reply)?.toString();
}

/** A flat list, of which each `width` values belong together. */
export function rows(asked: Asked, reply: RedisReply | undefined, width: number): RedisReply[][] {
  const flat = list(asked, reply);
  return Array.from({ length: Math.ceil(flat.length / width) }, (_, n) =>
    flat.slice(n * width, (n + 1) * width),
  );
}

/** A flat list of ids and messages. */
export function pairs(asked: Asked, reply: RedisReply | undefined): { id: string; msg: Buffer }[] {
  const flat = list(asked, reply);
  const all: { id: string; msg: Buffer }[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    all.push({ id: bytes(asked, flat[i]).toString(), msg: bytes(asked, flat[i + 1]) });
  }
  return all;
}
