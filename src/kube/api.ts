import { type Clock, systemClock } from '../runtime/clock.ts';
import { type Logger, silentLogger } from '../runtime/logger.ts';
import { type Random, systemRandom } from '../runtime/random.ts';
import type { KubeCredentials } from './config.ts';
import { isNotFound, KubeError } from './kube-error.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import { guarded, type KubeObserver } from './observer.ts';
import { apiVersionOf, collectionPath, objectPath, type Resource, type Selection } from './resource.ts';
import { type CallOptions, Transport } from './transport.ts';
import { openWatch, type WatchOptions, type WatchStream } from './watch.ts';

export interface KubeClientOptions {
  readonly credentials: KubeCredentials;
  /** `name/version`: how audit logs call us. */
  readonly userAgent: string;
  /** Client-side rate limit. KEDA's 20/30 is known to be too low for a few hundred objects. @default 50/s, burst 100 */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  readonly observer?: KubeObserver;
}

export interface ListOptions extends Selection, CallOptions {
  /** Items in one answer; 0: all at once. @default 500 */
  readonly limit?: number;
  /** From the answer before: the next page of the same snapshot. */
  readonly continue?: string;
  /** Absent: the newest state there is. */
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Of the whole snapshot: a watch goes on from here. */
  readonly resourceVersion: string;
  /** Absent on the last page. */
  readonly continue?: string;
}

export interface WriteOptions extends CallOptions {
  /** Who owns the fields: one name for each purpose, since applying less than before removes the rest. */
  readonly fieldManager: string;
  /** @default the object itself */
  readonly subresource?: 'status' | 'scale';
  /** true: all checks of the API server, no effect. @default false */
  readonly dryRun?: boolean;
}

export interface ApplyOptions extends WriteOptions {
  /** true: takes fields from other managers; false: their owners make it a conflict. @default true */
  readonly force?: boolean;
}

export interface DeleteOptions extends CallOptions {
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
  /** Only the object that we saw, not its successor of the same name. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** What is applied: the fields that we own, all of them each time. `apiVersion` and `kind` are filled in. */
export interface Intent {
  readonly metadata: ObjectRef & { readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

export interface Scale extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly replicas: number; readonly selector?: string };
}

/**
 * The API server, thinly: a method is one request (`transport.ts` repeats it where that is safe), an object is the JSON
 * that came. There is no `update`: writing back a whole object that was read erases what a newer API server put there.
 * Own fields are applied, single values merge-patched.
 */
export class KubeClient {
  /** The namespace of the kubeconfig's context, in a pod the pod's own. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly observer: Required<KubeObserver>;
  readonly #transport: Transport;

  constructor(options: KubeClientOptions) {
    const { credentials, userAgent, rate = { perSecond: 50, burst: 100 } } = options;
    this.namespace = credentials.namespace;
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? systemRandom;
    this.log = options.log ?? silentLogger;
    this.observer = guarded(options.observer, this.log);
    this.#transport = new Transport({
      credentials,
      userAgent,
      rate,
      clock: this.clock,
      random: this.random,
      observer: this.observer,
    });
  }

  /** @throws KubeError 404 when there is none. */
  async get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, options?: CallOptions): Promise<T> {
    return (await this.#transport.json({ verb: 'get', path: objectPath(resource, ref) }, options)) as T;
  }

  /** One page; follow `continue`. A `continue` that is too old fails with 410: start again. */
  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}): Promise<Page<T>> {
    const path = collectionPath(resource, options.namespace);
    const { labelSelector, fieldSelector, limit = 500, resourceVersion, resourceVersionMatch } = options;
    const page = options.continue;
    const query = {
      labelSelector,
      fieldSelector,
      limit: limit === 0 ? undefined : limit,
      continue: page,
      // A continue token carries its resource version; the API server refuses both.
      resourceVersion: page === undefined ? resourceVersion : undefined,
      resourceVersionMatch: page === undefined ? resourceVersionMatch : undefined,
    };
    const list = (await this.#transport.json({ verb: 'list', path, query }, options)) as {
      readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
      readonly items?: readonly T[] | null;
    };
    if (list.metadata?.resourceVersion === undefined) {
      throw new KubeError(
        'ASYNQ_KUBE_ANSWER',
        `GET ${path}: expected a list, got ${JSON.stringify(list).slice(0, 200)}`,
      );
    }
    const next = list.metadata.continue;
    return {
      // Items of built-in lists come without these two.
      items: (list.items ?? []).map((item) => ({
        apiVersion: apiVersionOf(resource),
        kind: resource.kind,
        ...item,
      })),
      resourceVersion: list.metadata.resourceVersion,
      ...(next === undefined || next === '' ? {} : { continue: next }),
    };
  }

  /** Resolves when the API server accepted the watch; then events come until it ends it (`watch.ts`). */
  watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions): Promise<WatchStream<T>> {
    return openWatch(this.#transport, this, resource, options);
  }

  /**
   * Server-side apply: makes our fields what `intent` says and removes those of ours that it leaves out. Creates the
   * object when there is none.
   */
  async apply<T extends KubeObject>(
    resource: Resource<T>,
    intent: Intent,
    options: ApplyOptions,
  ): Promise<T> {
    const { subresource, fieldManager, dryRun, force = true } = options;
    return (await this.#transport.json(
      {
        verb: 'patch',
        path: objectPath(resource, intent.metadata, subresource),
        query: { fieldManager, force, dryRun: dryRun === true ? 'All' : undefined },
        body: { apiVersion: apiVersionOf(resource), kind: resource.kind, ...intent },
        contentType: 'application/apply-patch+yaml',
      },
      options,
    )) as T;
  }

  /**
   * JSON merge patch: sets what `patch` names, `null` removes. With `metadata.resourceVersion` in it, only if nobody
   * wrote since (else 409).
   */
  async mergePatch<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    patch: object,
    options: WriteOptions,
  ): Promise<T> {
    const { subresource, fieldManager, dryRun } = options;
    return (await this.#transport.json(
      {
        verb: 'patch',
        path: objectPath(resource, ref, subresource),
        query: { fieldManager, dryRun: dryRun === true ? 'All' : undefined },
        body: patch,
        contentType: 'application/merge-patch+json',
      },
      options,
    )) as T;
  }

  /**
   * Sets the number of replicas, and nothing else, through the `scale` subresource. Applied, since a patch leaves no
   * owner behind where there was none (1.37): then nobody could tell later who set the number.
   */
  async scale(
    resource: Resource,
    ref: ObjectRef,
    replicas: number,
    options: Omit<ApplyOptions, 'subresource'>,
  ): Promise<Scale> {
    const { namespace, name } = ref;
    const intent = {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name, ...(namespace !== undefined && { namespace }) },
      spec: { replicas },
    };
    return this.apply<KubeObject>(resource, intent, { ...options, subresource: 'scale' });
  }

  /** @throws KubeError 409 AlreadyExists. */
  async create<T extends KubeObject>(
    resource: Resource<T>,
    object: Intent,
    options: Omit<WriteOptions, 'subresource'>,
  ): Promise<T> {
    const { fieldManager, dryRun } = options;
    return (await this.#transport.json(
      {
        verb: 'create',
        path: collectionPath(resource, object.metadata.namespace),
        query: { fieldManager, dryRun: dryRun === true ? 'All' : undefined },
        body: { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object },
      },
      options,
    )) as T;
  }

  /** false: there was none (any more). */
  async delete(resource: Resource, ref: ObjectRef, options: DeleteOptions = {}): Promise<boolean> {
    const { propagationPolicy, gracePeriodSeconds, preconditions } = options;
    const path = objectPath(resource, ref);
    try {
      await this.#transport.json(
        { verb: 'delete', path, body: { propagationPolicy, gracePeriodSeconds, preconditions } },
        options,
      );
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** Any other path of the API server that answers with JSON: `/version`, `/apis/asynq.dev/v1alpha1`. */
  async getPath(path: string, options?: CallOptions): Promise<unknown> {
    return this.#transport.json({ verb: 'get', path }, options);
  }

  /** Cuts all connections, watches too. Idempotent. */
  close(): Promise<void> {
    return this.#transport.close();
  }
}
