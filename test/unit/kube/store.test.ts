import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { KubeObject } from '../../../src/kube/object.ts';
import { type Change, Store } from '../../../src/kube/store.ts';
import { type Logger, silentLogger } from '../../../src/runtime/logger.ts';

interface Thing extends KubeObject {
  readonly color?: string;
}

function thing(name: string, version: number, color?: string): Thing {
  return {
    metadata: { namespace: 'ns', name, resourceVersion: String(version) },
    ...(color !== undefined && { color }),
  };
}

/** The store as its listeners would rebuild it. */
function mirror(store: Store<Thing>): { readonly objects: Map<string, Thing>; readonly changes: string[] } {
  const objects = new Map<string, Thing>();
  const changes: string[] = [];
  store.onChange((change: Change<Thing>) => {
    changes.push(`${change.type} ${change.key}`);
    if (change.type === 'deleted') objects.delete(change.key);
    else objects.set(change.key, change.object);
  });
  return { objects, changes };
}

test('replace tells the difference, and only that', () => {
  const store = new Store<Thing>();
  const { changes } = mirror(store);
  store.replace([thing('a', 1), thing('b', 2), thing('c', 3)], '5');
  store.replace([thing('b', 2), thing('c', 7), thing('d', 8)], '9');
  expect(changes.slice(3)).toEqual(['updated ns/c', 'added ns/d', 'deleted ns/a']);
  expect(store.resourceVersion).toBe('9');
});

test('an own write is seen at once, and neither older events nor an older list take it back', () => {
  const store = new Store<Thing>();
  store.replace([thing('a', 10)], '10');
  expect(store.upsertIfNewer(thing('a', 15))).toBe(true);
  expect(store.upsertIfNewer(thing('a', 12))).toBe(false);
  expect(store.upsertIfNewer(thing('new', 16))).toBe(true);
  store.replace([thing('a', 10)], '11');
  expect(store.get('ns/a')?.metadata.resourceVersion).toBe('15');
  expect(store.get('ns/new')?.metadata.resourceVersion).toBe('16');
});

test('the echo of an own write is no change', () => {
  const store = new Store<Thing>();
  store.replace([thing('a', 10)], '10');
  store.upsertIfNewer(thing('a', 15));
  const { changes } = mirror(store);
  expect(store.upsertIfNewer(thing('a', 15))).toBe(false);
  store.replace([thing('a', 15)], '20');
  expect(changes).toEqual([]);
});

test('the answer to an own write that comes after the deletion does not raise the dead', () => {
  const store = new Store<Thing>();
  store.replace([thing('a', 10)], '10');
  store.remove(thing('a', 14));
  store.advance('14');
  expect(store.upsertIfNewer(thing('a', 12))).toBe(false);
  expect(store.size).toBe(0);
  // A successor of the same name is newer.
  expect(store.upsertIfNewer(thing('a', 17))).toBe(true);
});

test('a deletion that is older than the copy at hand is not believed', () => {
  const store = new Store<Thing>();
  store.replace([thing('a', 10)], '10');
  expect(store.remove(thing('a', 9))).toBe(false);
  expect(store.remove(thing('a', 11))).toBe(true);
  expect(store.remove(thing('a', 11))).toBe(false);
});

const step = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  version: fc.integer({ min: 1, max: 30 }),
  kind: fc.constantFrom('upsert' as const, 'remove' as const, 'advance' as const, 'replace' as const),
  listed: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')),
});

test('whatever comes in whatever order: no object and no mark goes back, and listeners know what the store knows', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const store = new Store<Thing>({
        indexes: { color: (it) => (it.color === undefined ? [] : [it.color]) },
      });
      const { objects } = mirror(store);
      for (const { kind, name, version, listed } of steps) {
        const before = new Map(
          store.keys().map((key) => [key, Number(store.get(key)?.metadata.resourceVersion)]),
        );
        const mark = Number(store.resourceVersion ?? 0);
        const color = version % 2 === 0 ? 'even' : 'odd';
        if (kind === 'upsert') store.upsertIfNewer(thing(name, version, color));
        else if (kind === 'remove') store.remove(thing(name, version));
        else if (kind === 'advance') store.advance(String(version));
        else
          store.replace(
            listed.map((it) => thing(it, Math.ceil(version / 2), color)),
            String(version),
          );
        for (const [key, old] of before) {
          const now = store.get(key)?.metadata.resourceVersion ?? old;
          expect(Number(now)).toBeGreaterThanOrEqual(old);
        }
        expect(Number(store.resourceVersion ?? 0)).toBeGreaterThanOrEqual(mark);
        expect([...objects.values()]).toEqual(expect.arrayContaining([...store.list()]));
        expect(objects.size).toBe(store.size);
        for (const value of ['even', 'odd']) {
          const found = store.byIndex('color', value);
          expect(new Set(found)).toEqual(new Set(store.list().filter((it) => it.color === value)));
        }
      }
    }),
  );
});

test('an index follows its objects, and one that throws hides only its own object', () => {
  const log = { ...silentLogger, error: vi.fn<Logger['error']>() };
  const store = new Store<Thing>({
    log,
    indexes: {
      color: (it) => {
        if (it.color === 'bad') throw new Error('index');
        return [it.color ?? 'none'];
      },
    },
  });
  store.replace([thing('a', 1, 'red'), thing('b', 2, 'red'), thing('c', 3, 'bad')], '3');
  store.upsertIfNewer(thing('a', 5, 'blue'));
  expect(store.byIndex('color', 'red').map((it) => it.metadata.name)).toEqual(['b']);
  expect(store.byIndex('color', 'blue').map((it) => it.metadata.name)).toEqual(['a']);
  expect(store.get('ns/c')).toBeDefined();
  expect(log.error).toHaveBeenCalledOnce();
  expect(() => store.byIndex('shape', 'round')).toThrow('expected an index of this store, got shape');
});

test('a listener that throws does not keep others from hearing, nor the change from being made', () => {
  const log = { ...silentLogger, error: vi.fn<Logger['error']>() };
  const store = new Store<Thing>({ log });
  store.onChange(() => {
    throw new Error('listener');
  });
  const { changes } = mirror(store);
  store.replace([thing('a', 1)], '1');
  expect(changes).toEqual(['added ns/a']);
  expect(log.error).toHaveBeenCalledOnce();
});

test('a listener that was taken off hears nothing more', () => {
  const store = new Store<Thing>();
  const listener = vi.fn<(change: Change<Thing>) => void>();
  const off = store.onChange(listener);
  off();
  store.replace([thing('a', 1)], '1');
  expect(listener).not.toHaveBeenCalled();
});

test('freezes what it keeps, all the way down', () => {
  const store = new Store<Thing>();
  store.replace([thing('a', 1, 'red')], '1');
  const kept = store.get('ns/a') as { color: string; metadata: { name: string } };
  expect(() => (kept.color = 'blue')).toThrow(TypeError);
  expect(() => (kept.metadata.name = 'b')).toThrow(TypeError);
});

test('starts over when history itself went back', () => {
  const store = new Store<Thing>();
  store.replace([thing('a', 100), thing('b', 101)], '101');
  const { changes } = mirror(store);
  store.restart([thing('b', 7)], '8');
  expect(changes).toEqual(['deleted ns/a', 'updated ns/b']);
  expect(store.resourceVersion).toBe('8');
  expect(store.upsertIfNewer(thing('b', 9))).toBe(true);
});
