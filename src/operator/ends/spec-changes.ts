import { isDeepStrictEqual } from 'node:util';
import { isObject, type Json } from '../structural-schema.ts';

/** A value that takes more is cut: a line is to stay one. */
const LONGEST = 60;

/** What an edit changed, a field each: `scaling.maxReplicas 3 -> 5`. A list is one value. */
export function specChanges(before: Json | undefined, after: Json | undefined, path = ''): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  const isSplit = [before, after].every((value) => value === undefined || isObject(value));
  if (!isSplit) return [`${path} ${shown(before)} -> ${shown(after)}`];
  const [old, now] = [before, after].map((value) => (isObject(value) ? value : {}));
  const fields = new Set([...Object.keys(old ?? {}), ...Object.keys(now ?? {})]);
  return [...fields].flatMap((field) =>
    specChanges(old?.[field], now?.[field], path === '' ? field : `${path}.${field}`),
  );
}

function shown(value: Json | undefined): string {
  const text = value === undefined ? 'none' : JSON.stringify(value);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}
