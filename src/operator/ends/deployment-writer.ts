import type { KubeClient } from '../../kube/api.ts';
import { isForbidden, isInvalid } from '../../kube/kube-error.ts';
import { objectKey } from '../../kube/object.ts';
import { DEPLOYMENTS, type Deployment } from '../../kube/resources.ts';
import type { CallOptions } from '../../kube/transport.ts';
import { errorText } from '../../runtime/errors.ts';
import { contains } from '../contains.ts';
import { type DeploymentIntent, intentHash } from '../desired-deployment.ts';
import type { Refusal } from '../refusal.ts';
import type { Json } from '../structural-schema.ts';
import type { NamespacedCache } from './namespaced-cache.ts';

/** One for each purpose: applying less than before takes the rest away, and replicas must survive a new template. */
const TEMPLATE_MANAGER = 'asynq-operator';
const SCALE_MANAGER = 'asynq-operator/scale';

/** A template that the API server refused is shown to it again after this, milliseconds: quotas and policies change. */
const ASK_AGAIN_MS = 60_000;

export type Applied =
  | { readonly kind: 'applied'; readonly deployment: Deployment }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

interface Refused {
  readonly intent: string;
  readonly refusal: Refusal;
  readonly askedAt: number;
}

export interface DeploymentWriterOptions {
  readonly client: KubeClient;
  /** Takes the answers, so that what was written is read at once. */
  readonly deployments: NamespacedCache<Deployment>;
  /** What each write goes with, so that it ends with the leadership; throws when this process must not write (any more). */
  readonly asLeader: () => CallOptions;
}

/** Writes Deployments, by server-side apply, and remembers what came of it. */
export class DeploymentWriter {
  readonly #options: DeploymentWriterOptions;
  readonly #refused = new Map<string, Refused>();
  /** Deployments that do not show what was applied (a quantity written in another way), by generation and intent. */
  readonly #settled = new Map<string, string>();

  constructor(options: DeploymentWriterOptions) {
    this.#options = options;
  }

  /** Whether applying `intent` would change nothing. */
  isApplied(live: Deployment, intent: DeploymentIntent): boolean {
    return showsIntent(live, intent) || this.#settled.get(objectKey(live)) === settledAs(live, intent);
  }

  /**
   * Makes a Deployment that is not there yet. If somebody made one of this name meanwhile, our selector is a conflict
   * with his (409), and his stays as it is.
   */
  async create(intent: DeploymentIntent, replicas: number): Promise<Applied> {
    // Born asleep, for the default is one worker. Then the number gets an owner of its own, which takes it over: had it
    // been born with the same number, the two would share it.
    const asleep = { ...intent, spec: { ...intent.spec, replicas: 0 } };
    const applied = await this.#apply(intent, asleep, false);
    if (applied.kind === 'applied') await this.scale(applied.deployment, replicas);
    return applied;
  }

  /**
   * Applies the template, without the number of replicas. That gets its owner first, again: a process may have died
   * between the two writes of `create`.
   */
  async update(live: Deployment, intent: DeploymentIntent): Promise<Applied> {
    const refusal = this.#knownRefusal(intent);
    if (refusal !== undefined) return { kind: 'refused', refusal };
    await this.scale(live, live.spec?.replicas ?? 1);
    return this.#apply(intent, intent, true);
  }

  async scale(live: Deployment, replicas: number): Promise<void> {
    const { client, deployments, asLeader } = this.#options;
    const { namespace, name, generation = 0 } = live.metadata;
    const ref = { ...(namespace !== undefined && { namespace }), name };
    const scale = await client.scale(DEPLOYMENTS, ref, replicas, {
      ...asLeader(),
      fieldManager: SCALE_MANAGER,
    });
    const { resourceVersion = '' } = scale.metadata;
    if (resourceVersion === live.metadata.resourceVersion || live.spec === undefined) return;
    deployments.put({
      ...live,
      metadata: { ...live.metadata, resourceVersion, generation: generation + 1 },
      spec: { ...live.spec, replicas },
    });
  }

  async delete({ metadata }: Deployment): Promise<void> {
    const { client, asLeader } = this.#options;
    const { namespace, name, uid } = metadata;
    await client.delete(
      DEPLOYMENTS,
      { ...(namespace === undefined ? {} : { namespace }), name },
      { ...asLeader(), ...(uid === undefined ? {} : { preconditions: { uid } }) },
    );
  }

  forget(key: string): void {
    this.#refused.delete(key);
    this.#settled.delete(key);
  }

  async #apply(intent: DeploymentIntent, body: DeploymentIntent, force: boolean): Promise<Applied> {
    const { client, deployments, asLeader } = this.#options;
    const known = this.#knownRefusal(intent);
    if (known !== undefined) return { kind: 'refused', refusal: known };
    const key = objectKey(intent);
    try {
      const options = { ...asLeader(), fieldManager: TEMPLATE_MANAGER, force };
      const deployment = await client.apply(DEPLOYMENTS, body, options);
      deployments.put(deployment);
      this.forget(key);
      if (!showsIntent(deployment, intent)) this.#settled.set(key, settledAs(deployment, intent));
      return { kind: 'applied', deployment };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const refusal = { reason: 'InvalidTemplate', message: serversWords(error) } as const;
      this.#refused.set(key, { intent: intentHash(intent), refusal, askedAt: client.clock.monotonic() });
      return { kind: 'refused', refusal };
    }
  }

  #knownRefusal(intent: DeploymentIntent): Refusal | undefined {
    const refused = this.#refused.get(objectKey(intent));
    if (refused?.intent !== intentHash(intent)) return undefined;
    const isRecent = this.#options.client.clock.monotonic() - refused.askedAt < ASK_AGAIN_MS;
    return isRecent ? refused.refusal : undefined;
  }
}

/**
 * Whether asking again would change nothing. A field that no Deployment has makes the API server answer 500 to an apply,
 * for that is found out before anything is validated.
 */
function isRefusal(error: unknown): boolean {
  return (
    isInvalid(error) || isForbidden(error) || errorText(error).includes('failed to create typed patch object')
  );
}

/** Without the request before them. */
function serversWords(error: unknown): string {
  return errorText(error).replace(/^.*?: \d{3} /, '');
}

function showsIntent(live: Deployment, intent: DeploymentIntent): boolean {
  return contains(live as unknown as Json, intent as unknown as Json);
}

function settledAs({ metadata }: Deployment, intent: DeploymentIntent): string {
  return `${metadata.uid} ${metadata.generation} ${intentHash(intent)}`;
}
