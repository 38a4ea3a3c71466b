import { isObject, type Json } from './structural-schema.ts';

/** Fields by which the items of the API's lists are told apart. */
const ITEM_KEYS = ['name', 'mountPath', 'containerPort', 'key', 'ip', 'topologyKey', 'uid'] as const;

/**
 * Whether `live` has all that `intent` says; what others or the API server added does not matter. Lists of objects that
 * carry a key are compared item by item, wherever the item stands (others may have put theirs between).
 */
export function contains(live: Json | undefined, intent: Json): boolean {
  if (isObject(intent)) {
    return isObject(live) && Object.entries(intent).every(([name, value]) => contains(live[name], value));
  }
  if (!Array.isArray(intent)) return live === intent;
  if (!Array.isArray(live)) return false;
  const items: readonly Json[] = live;
  return intent.every((wanted: Json, i) => {
    const key = keyOf(wanted);
    return key === undefined
      ? items.length === intent.length && contains(items[i], wanted)
      : items.some((item) => keyOf(item) === key && contains(item, wanted));
  });
}

function keyOf(item: Json | undefined): string | undefined {
  if (!isObject(item)) return undefined;
  const name = ITEM_KEYS.find((key) => item[key] !== undefined);
  return name === undefined ? undefined : JSON.stringify([name, item[name]]);
}
