import type { RedisRouter } from '../../../src/redis/router.ts';
import { QUEUES_KEY } from '../../../src/wire/keys.ts';
import { decodeTaskMessage } from '../../../src/wire/task-message.ts';
import { deleteKeys, dumpKeys, type KeyDump } from '../../support/queue-keys-dump.ts';
import { masked } from './side.ts';

/** Locks end so many seconds after they were set, by the clock of Redis: theirs are compared to the minute. */
const MINUTE_MS = 60_000;

/** What a queue holds, key by key, without its name. */
export type State = Readonly<Record<string, { readonly ends: number; readonly content: unknown }>>;

/** Reads all of a queue and deletes it. */
export async function drain(router: RedisRouter, queue: string): Promise<State> {
  const dumps = await dumpKeys(router, queue);
  const listed = await router.command(QUEUES_KEY, 'SREM', [QUEUES_KEY, queue]);
  await deleteKeys(router, queue, dumps);
  const now = Date.now();
  const entries = dumps.map((dump): [string, State[string]] => [
    masked(dump.key, queue),
    { ends: endOf(dump, now), content: contentOf(dump, queue) },
  ]);
  return { ...Object.fromEntries(entries), [QUEUES_KEY]: { ends: -1, content: listed } };
}

function endOf({ key, expiresAt }: KeyDump, now: number): number {
  return key.includes(':unique:') ? Math.floor((expiresAt - now) / MINUTE_MS) : expiresAt;
}

function contentOf({ kind, content }: KeyDump, queue: string): unknown {
  const texts = content.map((text) => masked(text, queue));
  switch (kind) {
    case 'hash':
    case 'zset':
      return Object.fromEntries(pairs(texts));
    case 'set':
      return texts.toSorted();
    case 'list':
    case 'string':
      return texts;
    default:
      return kind satisfies never;
  }
}

/** The same, with messages that can be read. */
export function readable(state: State): unknown {
  const show = (field: string, value: unknown) => (field === 'msg' ? textOf(String(value)) : value);
  return JSON.parse(JSON.stringify(state, show));
}

function textOf(latin1: string): unknown {
  try {
    return decodeTaskMessage(new Uint8Array(Buffer.from(latin1, 'latin1')));
  } catch {
    return latin1;
  }
}

function pairs(flat: readonly string[]): [string, string][] {
  const all: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) all.push([String(flat[i]), String(flat[i + 1])]);
  return all.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
