import type {
  EventsV1Event,
  V1ConfigMap,
  V1Deployment,
  V1Lease,
  V1Namespace,
  V1Pod,
  V1Secret,
} from '@kubernetes/client-node';
import type { KubeObject, Wire } from './object.ts';
import type { Resource } from './resource.ts';

/** The built-in resources that we speak of. client-node lends its types only: importing it costs a second. */

type Typed<T> = Omit<Wire<T>, 'metadata' | 'apiVersion' | 'kind'> & KubeObject;

export type ConfigMap = Typed<V1ConfigMap>;
export type Deployment = Typed<V1Deployment>;
export type KubeEvent = Typed<EventsV1Event>;
export type Lease = Typed<V1Lease>;
export type Namespace = Typed<V1Namespace>;
export type Pod = Typed<V1Pod>;
export type Secret = Typed<V1Secret>;

function namespaced<T extends KubeObject>(
  group: string,
  version: string,
  kind: string,
  plural: string,
): Resource<T> {
  return { group, version, kind, plural, namespaced: true };
}

export const CONFIG_MAPS: Resource<ConfigMap> = namespaced('', 'v1', 'ConfigMap', 'configmaps');
export const DEPLOYMENTS: Resource<Deployment> = namespaced('apps', 'v1', 'Deployment', 'deployments');
export const EVENTS: Resource<KubeEvent> = namespaced('events.k8s.io', 'v1', 'Event', 'events');
export const LEASES: Resource<Lease> = namespaced('coordination.k8s.io', 'v1', 'Lease', 'leases');
export const PODS: Resource<Pod> = namespaced('', 'v1', 'Pod', 'pods');
export const SECRETS: Resource<Secret> = namespaced('', 'v1', 'Secret', 'secrets');
export const NAMESPACES: Resource<Namespace> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
};
