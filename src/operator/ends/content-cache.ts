import type { KubeClient } from '../../kube/api.ts';
import { isNotFound } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Resource } from '../../kube/resource.ts';
import { CONFIG_MAPS, type ConfigMap, SECRETS, type Secret } from '../../kube/resources.ts';

/** Keys and what they hold; Secrets and binary data in base64, as the API has them. */
export type Content = Readonly<Record<string, string>>;

/** Somebody who makes what is missing waits for it. */
const MISSING_BELIEVED_MS = 3_000;
const FORGOTTEN_AFTER_MS = 10 * 60_000;

interface Entry {
  content: Content | undefined;
  /** Monotonic milliseconds. */
  readAt: number;
  usedAt: number;
  reading: Promise<Content | undefined> | undefined;
}

/**
 * What the Secrets and ConfigMaps hold that AsynqQueues name: read one by one, and again after a while. Not watched: that
 * would take the right to list every Secret there is, or a connection for each one.
 *
 * While the API server does not answer, what was read last still holds. Secrets are asked for at each look at the queues: for
 * one that was read before nobody waits, the next look has the news.
 */
export class ContentCache {
  readonly #client: KubeClient;
  readonly #believedMs: number;
  readonly #entries = new Map<string, Entry>();

  /**
   * `believedMs`: what was read longer ago, milliseconds, is read again when somebody asks for it.
   * @default 30000
   */
  constructor(client: KubeClient, believedMs = 30_000) {
    this.#client = client;
    this.#believedMs = believedMs;
  }

  /** undefined: there is none. Throws when it was never read and cannot be. */
  async secret(namespace: string, name: string): Promise<Content | undefined> {
    const entry = this.#fresh(`secret ${namespace}/${name}`, () =>
      this.#read<Secret>(SECRETS, namespace, name, ({ data = {} }) => data),
    );
    return entry.content ?? entry.reading;
  }

  async configMap(namespace: string, name: string): Promise<Content | undefined> {
    const entry = this.#fresh(`configmap ${namespace}/${name}`, () =>
      this.#read<ConfigMap>(CONFIG_MAPS, namespace, name, ({ data, binaryData }) => ({
        ...data,
        ...binaryData,
      })),
    );
    return entry.reading ?? entry.content;
  }

  /** The entry, which is being read if what it holds is too old. */
  #fresh(key: string, read: () => Promise<Content | undefined>): Entry {
    const now = this.#client.clock.monotonic();
    const entry = this.#entry(key, now);
    const believedMs = entry.content === undefined ? MISSING_BELIEVED_MS : this.#believedMs;
    if (now - entry.readAt < believedMs) return entry;
    this.#forgetUnused(now);
    entry.reading ??= this.#refresh(entry, read);
    return entry;
  }

  /** A new one when nobody has asked for so long that what it holds may be of long ago. */
  #entry(key: string, now: number): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined && now - known.usedAt <= FORGOTTEN_AFTER_MS) {
      known.usedAt = now;
      return known;
    }
    const entry = {
      content: undefined,
      readAt: Number.NEGATIVE_INFINITY,
      usedAt: now,
      reading: undefined,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  /** Rejects only when nothing was read ever. */
  async #refresh(entry: Entry, read: () => Promise<Content | undefined>): Promise<Content | undefined> {
    try {
      entry.content = await read();
      entry.readAt = this.#client.clock.monotonic();
      return entry.content;
    } catch (error) {
      if (entry.readAt === Number.NEGATIVE_INFINITY) throw error;
      this.#client.log.warn(
        { err: error },
        'a Secret or ConfigMap cannot be read again: what was read last holds',
      );
      entry.readAt = this.#client.clock.monotonic();
      return entry.content;
    } finally {
      entry.reading = undefined;
    }
  }

  async #read<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    name: string,
    contentOf: (object: T) => Content,
  ): Promise<Content | undefined> {
    try {
      return contentOf(await this.#client.get(resource, { namespace, name }));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #forgetUnused(now: number): void {
    for (const [key, { usedAt }] of this.#entries) {
      if (now - usedAt > FORGOTTEN_AFTER_MS) this.#entries.delete(key);
    }
  }
}
