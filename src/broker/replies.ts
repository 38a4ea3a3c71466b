import type { RedisReply, Script } from '../redis/router.ts';
import { AsynqError } from '../runtime/errors.ts';

/** None of our scripts gives such a reply: something between us and Redis does. */
function unexpected(script: Script, expected: string): AsynqError {
  return new AsynqError('ASYNQ_REDIS_COMMAND', `script ${script.name}: expected ${expected} as its reply`);
}

export function integer(script: Script, reply: RedisReply | undefined): number {
  if (typeof reply === 'number') return reply;
  throw unexpected(script, 'an integer');
}

export function bytes(script: Script, reply: RedisReply | undefined): Buffer {
  if (Buffer.isBuffer(reply)) return reply;
  throw unexpected(script, 'bytes');
}

export function list(script: Script, reply: RedisReply | undefined): RedisReply[] {
  if (Array.isArray(reply)) return reply;
  throw unexpected(script, 'an array');
}

export function integers(script: Script, reply: RedisReply, count: number): number[] {
  const all = list(script, reply);
  if (all.length !== count) throw unexpected(script, `${count} results`);
  return all.map((one) => integer(script, one));
}

export function texts(script: Script, reply: RedisReply | undefined): string[] {
  return list(script, reply).map((one) => bytes(script, one).toString());
}

/** A flat list of ids and messages. */
export function pairs(script: Script, reply: RedisReply | undefined): { id: string; msg: Buffer }[] {
  const flat = list(script, reply);
  const all: { id: string; msg: Buffer }[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    all.push({ id: bytes(script, flat[i]).toString(), msg: bytes(script, flat[i + 1]) });
  }
  return all;
}
