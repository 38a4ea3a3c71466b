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
  const found = await dumpKeys(router, queue);
  const listed = await router.command(QUEUES_KEY, 'SREM', [QUEUES_KEY, queue]);
  await deleteKeys(router, queue, found);
  const dumps = withNumberedSets(found);
  const now = Date.now();
  const entries = dumps.map((dump): [string, State[string]] => [
    masked(dump.key, queue),
    { ends: endOf(dump, now), content: contentOf(dump, queue) },
  ]);
  return { ...Object.fromEntries(entries), [QUEUES_KEY]: { ends: -1, content: listed } };
}

const SET_ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Aggregation sets are called by chance: here, by a number, in the order of their groups and of what they hold. */
function withNumberedSets(dumps: readonly KeyDump[]): readonly KeyDump[] {
  const sets = dumps.filter(({ key }) => SET_ID.test(key));
  const order = ({ key, content }: KeyDump) => key.replace(SET_ID, '') + JSON.stringify(content);
  const sorted = sets.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)).map(({ key }) => key);
  const rename = (text: string) => text.replace(SET_ID, () => `set ${sorted.indexOf(text)}`);
  return dumps.map((dump) => ({ ...dump, key: rename(dump.key), content: dump.content.map(rename) }));
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
