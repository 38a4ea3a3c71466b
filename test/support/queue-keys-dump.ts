import { createHash } from 'node:crypto';
import type { RedisReply, RedisRouter, Script } from '../../src/redis/router.ts';
import { QueueKeys } from '../../src/wire/keys.ts';

/*
 * All keys of a queue, also those that no list names. Only in the tests' cluster: keys are listed by slot.
 */

const LUA = `
-- KEYS[1] any key of the queue
-- ARGV[1] slot of the queue, ARGV[2..] prefixes of its keys
local found = {}
for _, key in ipairs(redis.call('CLUSTER', 'GETKEYSINSLOT', ARGV[1], 10000)) do
  local ours = false
  for i = 2, #ARGV do ours = ours or string.sub(key, 1, #ARGV[i]) == ARGV[i] end
  if ours then
    local kind = redis.call('TYPE', key).ok
    local content
    if kind == 'hash' then content = redis.call('HGETALL', key)
    elseif kind == 'list' then content = redis.call('LRANGE', key, 0, -1)
    elseif kind == 'zset' then content = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
    elseif kind == 'set' then content = redis.call('SMEMBERS', key)
    else content = { redis.call('GET', key) } end
    found[#found + 1] = { key, kind, redis.call('PEXPIRETIME', key), content }
  end
end
return found`;

const DUMP: Script = { name: 'dump-keys', lua: LUA, sha: createHash('sha1').update(LUA).digest('hex') };

/** A key as Redis holds it; texts are bytes, one a character (latin1). */
export interface KeyDump {
  readonly key: string;
  readonly kind: 'hash' | 'list' | 'zset' | 'set' | 'string';
  /** Unix milliseconds in which it ends; -1: never. */
  readonly expiresAt: number;
  readonly content: readonly string[];
}

/** All keys of a queue, by their names. */
export async function dumpKeys(router: RedisRouter, queue: string): Promise<KeyDump[]> {
  const keys = new QueueKeys(queue);
  const { slot } = await router.locate(keys.pending);
  const reply = await router.run(DUMP, [keys.pending], [slot, keys.prefix, keys.ownPrefix]);
  const dumps = (reply as [Buffer, Buffer, number, Buffer[]][]).map(([key, kind, expiresAt, content]) => ({
    key: key.toString('latin1'),
    kind: kind.toString('latin1') as KeyDump['kind'],
    expiresAt,
    content: content.map((one) => one.toString('latin1')),
  }));
  return dumps.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** Deletes what `dumpKeys` found. */
export async function deleteKeys(
  router: RedisRouter,
  queue: string,
  dumps: readonly KeyDump[],
): Promise<RedisReply> {
  if (dumps.length === 0) return 0;
  const names = dumps.map(({ key }) => Buffer.from(key, 'latin1'));
  return router.command(new QueueKeys(queue).pending, 'UNLINK', names);
}
