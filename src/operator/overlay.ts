import { isObject, type Json } from './structural-schema.ts';

export type JsonObject = { readonly [key: string]: Json };

/** How a list merges: items with the same key are one. Lists that are not named here are replaced. */
interface ListRule {
  readonly key: (item: JsonObject) => readonly (Json | undefined)[];
  /** Rules for lists within an item; absent: the overlay's item takes the place of the other. */
  readonly within?: Readonly<Record<string, ListRule>>;
}

const byName = (item: JsonObject) => [item['name']];

const CONTAINER: Readonly<Record<string, ListRule>> = {
  env: { key: byName },
  volumeMounts: { key: (mount) => [mount['mountPath']] },
  ports: { key: (port) => [port['containerPort'], port['protocol'] ?? 'TCP'] },
};

const POD_SPEC: Readonly<Record<string, ListRule>> = {
  containers: { key: byName, within: CONTAINER },
  initContainers: { key: byName, within: CONTAINER },
  volumes: { key: byName },
};

/**
 * A pod spec with the user's overlay on it. Containers and initContainers merge by name, in them env by name,
 * volumeMounts by mountPath and ports by containerPort and protocol; volumes merge by name. Every other list replaces,
 * objects merge field by field, and null takes a field away.
 */
export function overlaid(base: JsonObject, overlay: JsonObject): JsonObject {
  return mergeObject(base, overlay, POD_SPEC);
}

function mergeObject(
  base: JsonObject,
  overlay: JsonObject,
  lists: Readonly<Record<string, ListRule>>,
): JsonObject {
  const merged: Record<string, Json> = { ...base };
  for (const [name, over] of Object.entries(overlay)) {
    if (over === null) delete merged[name];
    else merged[name] = mergeField(base[name], over, lists[name]);
  }
  return merged;
}

function mergeField(base: Json | undefined, over: Json, rule: ListRule | undefined): Json {
  if (isObject(base) && isObject(over)) return mergeObject(base, over, {});
  if (rule !== undefined && Array.isArray(base) && Array.isArray(over)) return mergeList(base, over, rule);
  return over;
}

/** Items of the base keep their places; new ones follow in the overlay's order. */
function mergeList(base: readonly Json[], overlay: readonly Json[], rule: ListRule): readonly Json[] {
  const merged = [...base];
  for (const over of overlay) {
    const at = isObject(over) ? merged.findIndex((item) => isObject(item) && isSame(item, over, rule)) : -1;
    const item = merged[at];
    if (!isObject(over) || !isObject(item)) merged.push(over);
    else merged[at] = rule.within === undefined ? over : mergeObject(item, over, rule.within);
  }
  return merged;
}

function isSame(item: JsonObject, over: JsonObject, { key }: ListRule): boolean {
  const wanted = key(over);
  const found = key(item);
  return wanted.every((part, i) => part !== undefined && part === found[i]);
}
