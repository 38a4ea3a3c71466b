import type { KubeClient } from './api.ts';
import { Deadline } from './deadline.ts';
import { isAlreadyExists, isConflict, isNotFound, KubeError } from './kube-error.ts';
import { heldForMs, type Observed, observe, readLease } from './lease-record.ts';
import { microTime } from './micro-time.ts';
import type { ObjectRef } from './object.ts';
import { LEASES, type Lease } from './resources.ts';
import type { CallOptions } from './transport.ts';

const FIELD_MANAGER = 'leader-election';

export interface LeaseLockOptions {
  readonly client: KubeClient;
  readonly lease: Required<ObjectRef>;
  readonly identity: string;
  readonly leaseMs: number;
}

/**
 * One Lease object as a lock. Each write names the resource version it replaces, so of two that try, one wins; a write
 * whose answer was lost shows as a conflict with ourselves, and is read again.
 */
export class LeaseLock {
  readonly #client: KubeClient;
  readonly #ref: Required<ObjectRef>;
  readonly #identity: string;
  readonly #leaseMs: number;
  #observed: Observed | undefined;

  constructor({ client, lease, identity, leaseMs }: LeaseLockOptions) {
    this.#client = client;
    this.#ref = lease;
    this.#identity = identity;
    this.#leaseMs = leaseMs;
  }

  /** Who holds it, as last seen; '' nobody, undefined not seen yet. */
  get holder(): string | undefined {
    return this.#observed?.holder;
  }

  /** Milliseconds until it may be taken, as last seen. */
  heldForMs(): number {
    const now = this.#client.clock.monotonic();
    return this.#observed === undefined ? 0 : heldForMs(this.#observed, this.#identity, now);
  }

  /** Takes or renews it: true when it is ours, false when somebody else's. Throws when nobody knows. */
  async hold(timeoutMs: number): Promise<boolean> {
    using limit = this.#limit(timeoutMs);
    const call = { signal: limit.signal, retry: false, throttle: false };
    // Ours as we left it: no need to read before the write.
    if (this.#observed?.holder === this.#identity && (await this.#write(this.#observed, call))) return true;
    const found = await this.#read(call);
    if (found === undefined) return this.#create(call);
    if (this.heldForMs() > 0) return false;
    return this.#write(found, call);
  }

  /** Leaves it to whoever comes first, if it is ours. */
  async release(timeoutMs: number): Promise<void> {
    using limit = this.#limit(timeoutMs);
    const call = { signal: limit.signal, retry: false, throttle: false };
    const spec = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: this.#now() };
    for (let attempt = 1; attempt <= 2; attempt++) {
      const observed = attempt === 1 ? this.#observed : await this.#read(call);
      if (observed?.holder !== this.#identity || (await this.#patch(observed, spec, call))) return;
    }
  }

  async #read(call: CallOptions): Promise<Observed | undefined> {
    try {
      return this.#saw(await this.#client.get(LEASES, this.#ref, call));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #create(call: CallOptions): Promise<boolean> {
    const spec = { ...this.#claim(), acquireTime: this.#now(), leaseTransitions: 0 };
    try {
      this.#saw(
        await this.#client.create(
          LEASES,
          { metadata: this.#ref, spec },
          { ...call, fieldManager: FIELD_MANAGER },
        ),
      );
      return true;
    } catch (error) {
      if (isAlreadyExists(error)) return false;
      throw error;
    }
  }

  #write(replaces: Observed, call: CallOptions): Promise<boolean> {
    const change = { acquireTime: this.#now(), leaseTransitions: replaces.transitions + 1 };
    const isRenewal = replaces.holder === this.#identity;
    return this.#patch(replaces, { ...this.#claim(), ...(isRenewal ? {} : change) }, call);
  }

  /** false: somebody wrote in between, or took the Lease away. */
  async #patch(replaces: Observed, spec: object, call: CallOptions): Promise<boolean> {
    const patch = { metadata: { resourceVersion: replaces.resourceVersion }, spec };
    try {
      this.#saw(
        await this.#client.mergePatch(LEASES, this.#ref, patch, { ...call, fieldManager: FIELD_MANAGER }),
      );
      return true;
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) return false;
      throw error;
    }
  }

  #claim(): object {
    return {
      holderIdentity: this.#identity,
      leaseDurationSeconds: Math.ceil(this.#leaseMs / 1000),
      renewTime: this.#now(),
    };
  }

  #saw(lease: Lease): Observed {
    const record = readLease(lease, this.#leaseMs);
    this.#observed = observe(this.#observed, record, this.#client.clock.monotonic());
    return this.#observed;
  }

  #now(): string {
    return microTime(this.#client.clock.now());
  }

  #limit(timeoutMs: number): Deadline {
    const { namespace, name } = this.#ref;
    return new Deadline(this.#client.clock, timeoutMs, undefined, () => {
      return new KubeError(
        'ASYNQ_KUBE_TIMEOUT',
        `the Lease ${namespace}/${name}: no answer within ${timeoutMs} ms`,
      );
    });
  }
}
