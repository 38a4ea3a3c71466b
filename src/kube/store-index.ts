/** One index of a store: value -> keys of the objects that have it. An object of which the function throws has none. */
export class StoreIndex<T> {
  readonly #valuesOf: (object: T) => readonly string[];
  readonly #failed: (error: unknown, key: string) => void;
  readonly #keys = new Map<string, Set<string>>();
  readonly #values = new Map<string, readonly string[]>();

  constructor(valuesOf: (object: T) => readonly string[], failed: (error: unknown, key: string) => void) {
    this.#valuesOf = valuesOf;
    this.#failed = failed;
  }

  keys(value: string): readonly string[] {
    return [...(this.#keys.get(value) ?? [])];
  }

  set(key: string, object: T): void {
    this.delete(key);
    let values: readonly string[];
    try {
      values = this.#valuesOf(object);
    } catch (error) {
      return this.#failed(error, key);
    }
    this.#values.set(key, values);
    for (const value of values) {
      const keys = this.#keys.get(value);
      if (keys === undefined) this.#keys.set(value, new Set([key]));
      else keys.add(key);
    }
  }

  delete(key: string): void {
    for (const value of this.#values.get(key) ?? []) {
      const keys = this.#keys.get(value);
      keys?.delete(key);
      if (keys?.size === 0) this.#keys.delete(value);
    }
    this.#values.delete(key);
  }
}
