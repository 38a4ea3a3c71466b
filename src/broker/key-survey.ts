import type { RedisRouter } from '../redis/router.ts';
import { bytes, integer, list, texts } from './replies.ts';

/** Keys that Redis looks at in one step. */
const SCAN_COUNT = 1_000;

/** Names tried to find a key of each master; one that owns a single slot is met every 16384th time. */
const MOST_TRIES = 200_000;

/** A key that each master would have: what is sent to its owner goes to that master. */
export async function keyOfEachMaster(
  router: Pick<RedisRouter, 'masters' | 'locate'>,
): Promise<ReadonlyMap<string, string>> {
  const masters = await router.masters();
  const keys = new Map<string, string>();
  for (let n = 0; keys.size < masters.length && n < MOST_TRIES; n++) {
    const { master } = await router.locate(`{${n}}`);
    if (!keys.has(master.addr)) keys.set(master.addr, `{${n}}`);
  }
  return keys;
}

/**
 * All keys on all masters that match a pattern, page by page. A key may come twice; one that is there from beginning to end
 * comes at least once, unless its slot moves to another master meanwhile.
 */
export async function* surveyKeys(
  router: Pick<RedisRouter, 'masters' | 'locate' | 'command'>,
  pattern: string,
  onProgress: (done: number, total: number) => void = () => {},
): AsyncGenerator<string[]> {
  const masters = [...(await keyOfEachMaster(router)).values()];
  const sizes = await Promise.all(masters.map((key) => router.command(key, 'DBSIZE', [])));
  const total = sizes.reduce<number>((sum, size) => sum + integer({ name: 'DBSIZE' }, size), 0);
  const asked = { name: 'SCAN' };
  let done = 0;
  for (const master of masters) {
    let cursor = '0';
    do {
      const args = [cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT];
      const [next, page] = list(asked, await router.command(master, 'SCAN', args));
      cursor = bytes(asked, next).toString();
      done += SCAN_COUNT;
      onProgress(Math.min(done, total), total);
      yield texts(asked, page);
    } while (cursor !== '0');
  }
}

/** A key of a queue, as the queue's name and what comes behind its prefix. */
export interface QueueKey {
  readonly queue: string;
  readonly rest: string;
}

/**
 * Tells the queue of a key. A name may hold what ends one in a key: the longest of the `listed` names that fit is it, else
 * the shortest name that there can be. One that starts with `}`, which Go lets pause, is none: its keys would lie in
 * different key slots. Pure.
 */
export function queueKeyReader(listed: readonly string[]): (key: string) => QueueKey | undefined {
  const tricky = listed.filter((name) => name.includes('}:')).toSorted((a, b) => b.length - a.length);
  return (key) => {
    if (!key.startsWith('asynq:{') || key.startsWith('asynq:{}')) return undefined;
    const queue = tricky.find((name) => key.startsWith(`asynq:{${name}}:`));
    const end = queue === undefined ? key.indexOf('}:') : 'asynq:{'.length + queue.length;
    if (end < 0) return undefined;
    return { queue: key.slice('asynq:{'.length, end), rest: key.slice(end + 2) };
  };
}
