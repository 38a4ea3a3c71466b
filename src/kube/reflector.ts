import { errorText } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { KubeClient } from './api.ts';
import { isTooLargeResourceVersion } from './kube-error.ts';
import type { KubeObject } from './object.ts';
import { FAILED_BELOW_MS, type NextAttempt, nextAttempt, TimeTravelError } from './reflector-policy.ts';
import type { Resource, Selection } from './resource.ts';
import { compareResourceVersions } from './resource-version.ts';
import { takeSnapshot } from './snapshot.ts';
import { Store, type StoreOptions } from './store.ts';
import type { WatchEvent } from './watch.ts';

/** Lists in a row that are older than what we saw, until we believe that the server's history went back. */
const BELIEVED_STALE_LISTS = 5;

export type ReflectorState = 'Idle' | 'Listing' | 'Watching' | 'Backoff' | 'Stopped';

export interface ReflectorOptions<T extends KubeObject> extends Selection, Omit<StoreOptions<T>, 'log'> {
  readonly client: KubeClient;
  readonly resource: Resource<T>;
  /**
   * Cuts an object down to what is needed before it is kept; `metadata.managedFields` and kubectl's last-applied
   * annotation are gone by then. When it throws, the object is kept as it came.
   */
  readonly transform?: (object: T) => T;
}

export interface ReflectorStatus {
  readonly state: ReflectorState;
  /** The store has been complete once. */
  readonly synced: boolean;
  /** Unix milliseconds of the last complete list; undefined: there was none. */
  readonly lastListAt: number | undefined;
  /** Unix milliseconds when the API server was last heard: a list, an event, a bookmark (one a minute). */
  readonly lastEventAt: number | undefined;
  /** Attempts that failed in a row; 0 while all is well. */
  readonly failures: number;
  /** Of the last attempt that failed. */
  readonly lastError: string | undefined;
}

/**
 * Keeps a store equal to what the API server has: lists once, then follows a watch, for ever. client-node's informer
 * dies of the first reset, 503 or failed list, and has no time limit; this one gives up on nothing but `stop`.
 *
 * States:
 * - Idle: not started.
 * - Listing: reads all pages, then puts them into the store in one step (deletions are the difference).
 * - Watching: from the last version seen, with bookmarks, so that a quiet watch goes on from where the world is. When it
 *   ends it is opened again from there, at once if it lived a second, else after a Backoff.
 * - Backoff: full jitter, 0.8 s doubling to 30 s, never before a Retry-After. Ends in Watching, or in Listing when the
 *   list had failed or the version was too old (410).
 * - Stopped: for good, from any state. Nothing is open any more when `stop` resolves.
 */
export class Reflector<T extends KubeObject> {
  readonly store: Store<T>;
  /** true once the store is complete; false when stopped before that. Never rejects. */
  readonly synced: Promise<boolean>;
  readonly #client: KubeClient;
  readonly #resource: Resource<T>;
  readonly #selection: Selection;
  readonly #transform: ((object: T) => T) | undefined;
  readonly #log: Logger;
  readonly #abort = new AbortController();
  readonly #settleSynced: (synced: boolean) => void;
  #running: Promise<void> | undefined;
  #state: ReflectorState = 'Idle';
  #lastListAt: number | undefined;
  #lastEventAt: number | undefined;
  #lastError: string | undefined;
  #failures = 0;
  #staleLists = 0;
  /** Monotonic time when the watch that is open was accepted. */
  #openedAt: number | undefined;

  constructor(options: ReflectorOptions<T>) {
    const { client, resource, transform, indexes, namespace, labelSelector, fieldSelector } = options;
    this.#client = client;
    this.#resource = resource;
    this.#transform = transform;
    this.#selection = {
      ...(namespace !== undefined && { namespace }),
      ...(labelSelector !== undefined && { labelSelector }),
      ...(fieldSelector !== undefined && { fieldSelector }),
    };
    this.#log = client.log.child({ resource: resource.plural });
    this.store = new Store<T>({ log: this.#log, ...(indexes && { indexes }) });
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.synced = promise;
    this.#settleSynced = resolve;
  }

  status(): ReflectorStatus {
    return {
      state: this.#state,
      synced: this.#lastListAt !== undefined,
      lastListAt: this.#lastListAt,
      lastEventAt: this.#lastEventAt,
      failures: this.#livedMs() >= FAILED_BELOW_MS ? 0 : this.#failures,
      lastError: this.#lastError,
    };
  }

  /** Idempotent. After `stop` it does nothing. */
  start(): void {
    if (this.#abort.signal.aborted) return;
    this.#running ??= this.#run(this.#abort.signal);
  }

  /** Idempotent. The store keeps what it has. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    this.#enter('Stopped');
    this.#settleSynced(false);
  }

  async #run(signal: AbortSignal): Promise<void> {
    let relist = true;
    while (!signal.aborted) {
      const next = await this.#attempt(relist, signal);
      if (signal.aborted) return;
      relist = next.relist;
      this.#failures = next.failures;
      if (next.delayMs > 0) {
        this.#enter('Backoff');
        await this.#client.clock.sleep(next.delayMs, signal);
      }
    }
  }

  /** A list if need be, then a watch until it ends. Says what to do next; never throws. */
  async #attempt(relist: boolean, signal: AbortSignal): Promise<NextAttempt> {
    let phase: 'list' | 'watch' = 'list';
    let error: unknown;
    try {
      if (relist) await this.#list(signal);
      phase = 'watch';
      await this.#watch(signal);
    } catch (thrown) {
      error = thrown;
    }
    const next = nextAttempt(
      { phase, livedMs: this.#livedMs(), error },
      this.#failures,
      this.#client.random(),
    );
    this.#openedAt = undefined;
    if (!signal.aborted) this.#report(phase, error, next);
    return next;
  }

  async #list(signal: AbortSignal): Promise<void> {
    this.#enter('Listing');
    const { clock, observer } = this.#client;
    const begun = clock.monotonic();
    const mark = this.store.resourceVersion;
    const believe = this.#staleLists >= BELIEVED_STALE_LISTS;
    const floor = mark !== undefined && this.#staleLists > 0 && !believe;
    const { items, resourceVersion } = await takeSnapshot(
      this.#client,
      this.#resource,
      {
        ...this.#selection,
        signal,
        retry: false,
        ...(floor && { resourceVersion: mark, resourceVersionMatch: 'NotOlderThan' }),
      },
      (object) => this.#keep(object),
    ).catch((error: unknown) => {
      if (floor && isTooLargeResourceVersion(error)) this.#staleLists += 1;
      throw error;
    });
    if (mark !== undefined && compareResourceVersions(resourceVersion, mark) < 0) {
      this.#staleLists += 1;
      if (!believe)
        throw new TimeTravelError(`expected a list not older than ${mark}, got ${resourceVersion}`);
      this.#log.warn(
        { mark, resourceVersion },
        'the history of the API server went back: starting over from its list',
      );
      this.store.restart(items, resourceVersion);
    } else {
      this.store.replace(items, resourceVersion);
    }
    this.#staleLists = 0;
    this.#lastListAt = this.#lastEventAt = clock.now();
    this.#settleSynced(true);
    observer.listed({
      resource: this.#resource.plural,
      items: items.length,
      durationMs: clock.monotonic() - begun,
    });
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock } = this.#client;
    const resourceVersion = this.store.resourceVersion ?? '0';
    const stream = await this.#client.watch(this.#resource, { ...this.#selection, resourceVersion, signal });
    this.#openedAt = clock.monotonic();
    this.#lastEventAt = clock.now();
    this.#enter('Watching');
    for await (const event of stream) {
      this.#lastEventAt = clock.now();
      this.#apply(event);
    }
  }

  #apply(event: WatchEvent<T>): void {
    const version =
      event.type === 'BOOKMARK' ? event.resourceVersion : (event.object.metadata.resourceVersion ?? '');
    const mark = this.store.resourceVersion ?? version;
    const isOlder = compareResourceVersions(version, mark) < 0;
    if (event.type === 'BOOKMARK') {
      if (isOlder) throw new TimeTravelError(`expected a bookmark not older than ${mark}, got ${version}`);
    } else {
      const news =
        event.type === 'DELETED'
          ? this.store.remove(event.object)
          : this.store.upsertIfNewer(this.#keep(event.object));
      if (isOlder && !news) {
        this.#client.observer.watchEventDropped({ resource: this.#resource.plural, reason: 'stale' });
      }
    }
    this.store.advance(version);
  }

  #keep(object: T): T {
    const slim = withoutBallast(object);
    try {
      return this.#transform?.(slim) ?? slim;
    } catch (error) {
      const { namespace, name } = object.metadata;
      this.#log.error({ err: error, namespace, name }, 'a transform threw: the object is kept as it came');
      return slim;
    }
  }

  #livedMs(): number {
    return this.#openedAt === undefined ? 0 : this.#client.clock.monotonic() - this.#openedAt;
  }

  #enter(state: ReflectorState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#client.observer.reflectorState({ resource: this.#resource.plural, state });
  }

  #report(phase: 'list' | 'watch', error: unknown, next: NextAttempt): void {
    const { observer } = this.#client;
    const { reason, failures, delayMs, relist } = next;
    const resource = this.#resource.plural;
    if (phase === 'watch') observer.watchEnded({ resource, reason });
    if (relist && this.#lastListAt !== undefined) observer.relisted({ resource, reason });
    if (error === undefined) return;
    this.#lastError = errorText(error);
    this.#log.warn({ err: error, phase, failures, delayMs, relist }, 'lost touch with the API server');
  }
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Without what only the API server and kubectl read: often more than half of an object. */
function withoutBallast<T extends KubeObject>(object: T): T {
  const { managedFields: _, annotations, ...metadata } = object.metadata;
  if (annotations === undefined) return { ...object, metadata };
  const { [LAST_APPLIED]: __, ...kept } = annotations;
  return { ...object, metadata: { ...metadata, annotations: kept } };
}
