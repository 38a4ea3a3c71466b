import type { KubeObject, ObjectRef } from './object.ts';

declare const OBJECT: unique symbol;

/** A resource of the API: what URLs and manifests need to know of it. `T` is the type of its objects. */
export interface Resource<T extends KubeObject = KubeObject> {
  /** '' is the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly [OBJECT]?: T;
}

/** What part of a collection is meant. */
export interface Selection {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  /** As in `kubectl -l`: `app=web,tier!=db`. */
  readonly labelSelector?: string;
  /** As in `kubectl --field-selector`: `metadata.name=web`. */
  readonly fieldSelector?: string;
}

/** `group/version`, as manifests write it. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** Path of the collection; of one namespace when `namespace` is given, else of all. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = resource.group === '' ? '/api' : `/apis/${resource.group}`;
  const scope =
    resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}/${resource.version}${scope}/${resource.plural}`;
}

/** Path of one object, or of a subresource of it (`status`, `scale`). */
export function objectPath(resource: Resource, ref: ObjectRef, subresource?: string): string {
  if (resource.namespaced && ref.namespace === undefined) {
    throw new TypeError(`expected a namespace for the ${resource.kind} ${ref.name}, got none`);
  }
  const path = `${collectionPath(resource, ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}
