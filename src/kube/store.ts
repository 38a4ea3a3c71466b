import { errorText } from '../runtime/errors.ts';
import { type Logger, silentLogger } from '../runtime/logger.ts';
import { type KubeObject, objectKey } from './object.ts';
import { compareResourceVersions, newerResourceVersion } from './resource-version.ts';
import { StoreIndex } from './store-index.ts';

export type Change<T> =
  | { readonly type: 'added'; readonly key: string; readonly object: T }
  | { readonly type: 'updated'; readonly key: string; readonly object: T; readonly previous: T }
  | { readonly type: 'deleted'; readonly key: string; readonly object: T };

export interface StoreOptions<T> {
  /** Name -> the values under which an object is found: `{ owner: (pod) => ownersOf(pod) }`. */
  readonly indexes?: Readonly<Record<string, (object: T) => readonly string[]>>;
  readonly log?: Logger;
}

/**
 * What the API server has, as last seen: objects by key (`namespace/name`) and by index.
 *
 * Time only goes forward in here. `resourceVersion` is the high-water mark: all that happened up to it has been seen.
 * What is older than the mark, or than the copy at hand, is not taken; so the answer to an own write may be put in at
 * once (`upsertIfNewer`), and neither an event that was on its way nor a list that began earlier takes it back.
 *
 * Objects are shared by all who look, so they are frozen. Listeners hear of each change after it was made; what they
 * throw is logged, and hurts nobody else.
 */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes: ReadonlyMap<string, StoreIndex<T>>;
  readonly #listeners = new Set<(change: Change<T>) => void>();
  readonly #log: Logger;
  #resourceVersion: string | undefined;

  constructor(options: StoreOptions<T> = {}) {
    this.#log = options.log ?? silentLogger;
    this.#indexes = new Map(
      Object.entries(options.indexes ?? {}).map(([name, valuesOf]) => [
        name,
        new StoreIndex(valuesOf, (error, key) => {
          this.#log.error(
            { err: error, index: name, key },
            'an index function threw: the object is in no place of this index',
          );
        }),
      ]),
    );
  }

  /** The high-water mark; undefined before the first list. */
  get resourceVersion(): string | undefined {
    return this.#resourceVersion;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  keys(): readonly string[] {
    return [...this.#objects.keys()];
  }

  /** Objects for which the index gave `value`. */
  byIndex(name: string, value: string): readonly T[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new TypeError(`expected an index of this store, got ${name}`);
    return index.keys(value).flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** Calls `listener` after each change until the returned function is called. */
  onChange(listener: (change: Change<T>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Puts an object in unless something newer is known of it. false: it was not news. */
  upsertIfNewer(object: T): boolean {
    const key = objectKey(object);
    const previous = this.#objects.get(key);
    const version = versionOf(object);
    const known = previous === undefined ? this.#resourceVersion : versionOf(previous);
    if (known !== undefined && (known === version || compareResourceVersions(version, known) < 0))
      return false;
    this.#put(key, object, previous);
    return true;
  }

  /** Takes out what an event says is gone, unless a newer object of that name is here. */
  remove(object: T): boolean {
    const key = objectKey(object);
    const previous = this.#objects.get(key);
    if (previous === undefined || isOlder(object, previous)) return false;
    this.#take(key, previous);
    return true;
  }

  /**
   * Becomes what a list of `resourceVersion` says, and tells listeners the difference. What is newer than the list (an
   * own write while it was on its way) stays.
   */
  replace(objects: readonly T[], resourceVersion: string): void {
    const listed = new Set<string>();
    for (const object of objects) {
      const key = objectKey(object);
      listed.add(key);
      const previous = this.#objects.get(key);
      if (previous !== undefined && (versionOf(object) === versionOf(previous) || isOlder(object, previous)))
        continue;
      this.#put(key, object, previous);
    }
    for (const [key, object] of this.#objects) {
      if (listed.has(key)) continue;
      if (compareResourceVersions(versionOf(object), resourceVersion) <= 0) this.#take(key, object);
    }
    this.advance(resourceVersion);
  }

  /** Everything up to `resourceVersion` has been seen. Never goes back. */
  advance(resourceVersion: string): void {
    this.#resourceVersion = newerResourceVersion(this.#resourceVersion, resourceVersion);
  }

  /** Forgets the mark and the ages of all objects: the server's history itself went back (a restored etcd). */
  restart(objects: readonly T[], resourceVersion: string): void {
    const listed = new Set(objects.map(objectKey));
    for (const [key, object] of this.#objects) if (!listed.has(key)) this.#take(key, object);
    for (const object of objects) this.#put(objectKey(object), object, this.#objects.get(objectKey(object)));
    this.#resourceVersion = resourceVersion;
  }

  #put(key: string, object: T, previous: T | undefined): void {
    deepFreeze(object);
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) index.set(key, object);
    this.#tell(
      previous === undefined ? { type: 'added', key, object } : { type: 'updated', key, object, previous },
    );
  }

  #take(key: string, object: T): void {
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) index.delete(key);
    this.#tell({ type: 'deleted', key, object });
  }

  #tell(change: Change<T>): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#log.error({ err: error, key: change.key }, `a listener of a store threw: ${errorText(error)}`);
      }
    }
  }
}

function versionOf(object: KubeObject): string {
  return object.metadata.resourceVersion ?? '';
}

function isOlder(a: KubeObject, b: KubeObject): boolean {
  return compareResourceVersions(versionOf(a), versionOf(b)) < 0;
}

/** What comes out of JSON: plain objects and arrays, without cycles. */
function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
}
