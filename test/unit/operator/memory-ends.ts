import type {
  QueueQuery,
  QueueReader,
  QueueReading,
  QueueSnapshot,
} from '../../../src/broker/queue-reader.ts';
import { type AsynqQueue, type AsynqQueueStatus, keyOf } from '../../../src/operator/asynq-queue.ts';
import type { Fleet, FleetResult, FleetState, QueueEvent, QueueSource } from '../../../src/operator/ends.ts';
import type { RedisArg, RedisRouter } from '../../../src/redis/router.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { fleetOf, snapshotOf } from './builders.ts';

/** AsynqQueues, Secrets, statuses and events, all in memory. */
export class MemorySource implements QueueSource {
  readonly queues = new Map<string, AsynqQueue>();
  readonly secrets = new Map<string, string>();
  readonly events: (QueueEvent & { readonly about: string })[] = [];
  statusWrites = 0;
  /** What reading a Secret throws. */
  secretError: Error | undefined;
  /** Until when reading a Secret does not come back. */
  secretsHangUntil: Promise<void> | undefined;

  put(queue: AsynqQueue): void {
    const status = this.queues.get(keyOf(queue))?.status;
    this.queues.set(keyOf(queue), { ...(status && { status }), ...queue });
  }

  list(): readonly AsynqQueue[] {
    return [...this.queues.values()];
  }

  get(key: string): AsynqQueue | undefined {
    return this.queues.get(key);
  }

  async writeStatus(queue: AsynqQueue, status: AsynqQueueStatus): Promise<void> {
    this.statusWrites++;
    this.queues.set(keyOf(queue), { ...queue, status });
  }

  event(queue: AsynqQueue, event: QueueEvent): void {
    this.events.push({ ...event, about: keyOf(queue) });
  }

  async secret(namespace: string, name: string, key: string): Promise<string | undefined> {
    await this.secretsHangUntil;
    if (this.secretError !== undefined) throw this.secretError;
    return this.secrets.get(`${namespace}/${name}/${key}`);
  }
}

/** Workers that are ready as soon as they are asked for. */
export class MemoryFleet implements Fleet {
  readonly states = new Map<string, FleetState>();
  readonly applied: { readonly key: string; readonly replicas: number | undefined }[] = [];
  readonly removed: string[] = [];
  /** What the next `apply` throws, or answers in place of obeying. */
  next: Error | FleetResult | undefined;

  state(queue: AsynqQueue): FleetState {
    return this.states.get(keyOf(queue)) ?? fleetOf({ presence: 'absent' });
  }

  async apply(queue: AsynqQueue, replicas: number | undefined): Promise<FleetResult> {
    const key = keyOf(queue);
    this.applied.push({ key, replicas });
    if (this.next instanceof Error) throw this.next;
    if (this.next !== undefined) return this.next;
    const before = this.state(queue);
    const wanted = replicas ?? before.replicas;
    this.states.set(key, fleetOf({ replicas: wanted, readyReplicas: wanted }));
    return {
      changed: before.presence === 'absent' ? ['created'] : [],
      ...(wanted !== before.replicas && { scaledTo: wanted }),
    };
  }

  async remove(key: string): Promise<void> {
    this.removed.push(key);
    this.states.delete(key);
  }
}

const never = () => Promise.reject(new Error('expected no such call'));

/** One Redis, as its queues are read and its flags are set. */
export class MemoryRedis {
  readonly queues = new Map<string, QueueSnapshot>();
  readonly commands: (readonly [string, ...RedisArg[]])[] = [];
  /** Of each command, milliseconds; undefined: the router's own. */
  readonly timeouts: (number | undefined)[] = [];
  reads = 0;
  /** Until when reads do not come back. */
  hangsUntil: Promise<void> | undefined;
  error: AsynqError | undefined;
  /** What commands reject with. */
  refusal: AsynqError | undefined;
  isClosed = false;

  readonly router: RedisRouter = {
    run: async (script, keys, args, options) => {
      this.commands.push([script.name, ...keys, ...args]);
      this.timeouts.push(options?.timeout);
      return 1;
    },
    block: never,
    locate: never,
    masters: never,
    subscribe: never,
    publish: never,
    ping: never,
    command: async (_key, name, args, options) => {
      this.commands.push([name, ...args]);
      this.timeouts.push(options?.timeout);
      if (this.refusal !== undefined) throw this.refusal;
      return null;
    },
    close: async () => {
      this.isClosed = true;
    },
  };

  set(queue: string, figures: Parameters<typeof snapshotOf>[0]): void {
    this.queues.set(queue, snapshotOf(figures));
  }

  get reader(): QueueReader {
    return { read: (queries) => this.#read(queries) };
  }

  async #read(queries: readonly QueueQuery[]): Promise<ReadonlyMap<string, QueueReading>> {
    this.reads++;
    await this.hangsUntil;
    return new Map(queries.map(({ queue }) => [queue, this.#reading(queue)]));
  }

  #reading(queue: string): QueueReading {
    if (this.error !== undefined) return { kind: 'unknown', error: this.error };
    return { kind: 'known', snapshot: this.queues.get(queue) ?? snapshotOf() };
  }
}

export const UNREACHABLE: AsynqError = new AsynqError('ASYNQ_REDIS_UNREACHABLE', 'nobody answers');
