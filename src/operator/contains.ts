import { quantityValue } from './quantity.ts';
import { isObject, type Json } from './structural-schema.ts';

/** Fields whose values the API server writes in its own way. */
const QUANTITIES: ReadonlySet<string> = new Set(['limits', 'requests', 'sizeLimit']);

/** Fields by which the items of the API's lists are told apart. */
const ITEM_KEYS = ['name', 'mountPath', 'containerPort', 'key', 'ip', 'topologyKey', 'uid'] as const;

/**
 * Whether `live` has all that `intent` says; what others or the API server added does not matter. Lists of objects that
 * carry a key are compared item by item, wherever the item stands (others may have put theirs between).
 */
export function contains(live: Json | undefined, intent: Json): boolean {
  if (isObject(intent)) {
    return (
      isObject(live) &&
      Object.entries(intent).every(([name, value]) =>
        QUANTITIES.has(name) ? showsQuantities(live[name], value) : contains(live[name], value),
      )
    );
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

function showsQuantities(live: Json | undefined, intent: Json): boolean {
  if (isObject(intent)) {
    return (
      isObject(live) && Object.entries(intent).every(([name, value]) => showsQuantities(live[name], value))
    );
  }
  if (live === intent) return true;
  if (!isScalar(live) || !isScalar(intent)) return false;
  const value = quantityValue(intent);
  return value !== undefined && quantityValue(live) === value;
}

function isScalar(value: Json | undefined): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
