import type { KubeClient } from '../../kube/api.ts';
import { type KubeObject, refOfKey } from '../../kube/object.ts';
import { Reflector, type ReflectorOptions, type ReflectorStatus } from '../../kube/reflector.ts';
import type { Resource } from '../../kube/resource.ts';
import type { Change } from '../../kube/store.ts';

export interface NamespacedCacheOptions<T extends KubeObject>
  extends Pick<ReflectorOptions<T>, 'labelSelector' | 'transform' | 'indexes'> {
  readonly client: KubeClient;
  readonly resource: Resource<T>;
  /** Absent: all. */
  readonly namespaces?: readonly string[];
}

/** Objects of one kind in the namespaces that are served: one reflector for all of them, or one for each. */
export class NamespacedCache<T extends KubeObject> {
  readonly #reflectors: ReadonlyMap<string | undefined, Reflector<T>>;

  constructor({ namespaces, ...options }: NamespacedCacheOptions<T>) {
    const scopes = namespaces === undefined ? [undefined] : new Set(namespaces);
    this.#reflectors = new Map(
      [...scopes].map((namespace) => [
        namespace,
        new Reflector<T>({ ...options, ...(namespace === undefined ? {} : { namespace }) }),
      ]),
    );
  }

  get(key: string): T | undefined {
    return this.#of(refOfKey(key).namespace)?.store.get(key);
  }

  list(): readonly T[] {
    return [...this.#reflectors.values()].flatMap(({ store }) => store.list());
  }

  byIndex(name: string, value: string): readonly T[] {
    return [...this.#reflectors.values()].flatMap(({ store }) => store.byIndex(name, value));
  }

  onChange(listener: (change: Change<T>) => void): void {
    for (const { store } of this.#reflectors.values()) store.onChange(listener);
  }

  /** Takes the answer to an own write, so that it is read at once. */
  put(object: T): void {
    this.#of(object.metadata.namespace)?.store.upsertIfNewer(object);
  }

  start(): void {
    for (const reflector of this.#reflectors.values()) reflector.start();
  }

  /** true once all is there; false when stopped before that. */
  async synced(): Promise<boolean> {
    const synced = await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.synced));
    return synced.every(Boolean);
  }

  status(): readonly ReflectorStatus[] {
    return [...this.#reflectors.values()].map((reflector) => reflector.status());
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.stop()));
  }

  #of(namespace: string | undefined): Reflector<T> | undefined {
    return this.#reflectors.get(undefined) ?? this.#reflectors.get(namespace);
  }
}
