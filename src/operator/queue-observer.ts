import { setImmediate as nextTurn } from 'node:timers/promises';
import type { QueueQuery, QueueReading, QueueSnapshot } from '../broker/queue-reader.ts';
import type { Clock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { type AsynqQueue, keyOf, queueName, type RedisSpec, redisOf } from './asynq-queue.ts';
import type { Claim } from './conflicts.ts';
import type { Connection, Connections } from './connections.ts';
import type { QueueKey, QueueSource } from './ends.ts';
import { connectionOptions, resolveRedis } from './redis-settings.ts';
import type { Refusal } from './refusal.ts';

/** A reading older than this says nothing of now, milliseconds. */
const STALE_MS = 5_000;

/** What was last seen of one AsynqQueue's queue. */
export type Sight =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | {
      readonly kind: 'read';
      readonly reading: QueueReading;
      /** undefined: the Secrets that it needs cannot be read. */
      readonly connection: Connection | undefined;
      /** See `Claim.redis`; kept while Redis cannot be read. */
      readonly redis: string | undefined;
    };

interface Watched {
  queue: AsynqQueue;
  connection: Connection | undefined;
  /** Number of the database; undefined in a cluster. */
  database: number | undefined;
  /** Node id of the master that last answered for it; '' none did. */
  owner: string;
  sight: Sight | undefined;
  /** Monotonic time of the sight; of the first look, while there is none. */
  seenAt: number;
  isBeingRead: boolean;
}

export interface QueueObserverOptions {
  readonly source: Pick<QueueSource, 'secret'>;
  readonly connections: Connections;
  /** Where queues live that do not say. */
  readonly operatorDefault: RedisSpec | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** News of these; called once for each answer of a master. */
  readonly onSeen: (keys: readonly QueueKey[]) => void;
}

/**
 * Reads all queues, each time it is told to look: one round trip for each master that owns some, which answers (or fails)
 * for itself, so that a master that hangs delays only its own queues, and a Secret that does only those that need it. A
 * queue that is still being read is not asked for again.
 */
export class QueueObserver {
  readonly #options: QueueObserverOptions;
  readonly #watched = new Map<QueueKey, Watched>();
  /** What is read together in the next turn of the event loop. */
  #ready: Watched[] = [];
  #reading: Promise<void> | undefined;
  #claimsVersion = 0;

  constructor(options: QueueObserverOptions) {
    this.#options = options;
  }

  /** What is known now; undefined: nothing yet. What was read too long ago is unknown. */
  sight(queue: AsynqQueue): Sight | undefined {
    const watched = this.#watched.get(keyOf(queue));
    if (watched?.queue.metadata.uid !== queue.metadata.uid) return undefined;
    const { sight } = watched;
    if (sight?.kind !== 'read') return sight;
    if (this.#options.clock.monotonic() - watched.seenAt <= STALE_MS) return sight;
    const message = `expected an answer within ${STALE_MS} ms, got none`;
    return {
      ...sight,
      reading: { kind: 'unknown', error: new AsynqError('ASYNQ_REDIS_UNREACHABLE', message) },
    };
  }

  /** Another number each time that some claim may have changed. */
  get claimsVersion(): number {
    return this.#claimsVersion;
  }

  /** What an AsynqQueue lays claim to, as far as it is known. */
  claim(queue: AsynqQueue): Claim {
    const watched = this.#watched.get(keyOf(queue));
    const redis = watched?.sight?.kind === 'read' ? watched.sight.redis : undefined;
    const isCluster = redisOf(queue, this.#options.operatorDefault)?.mode === 'Cluster';
    const recorded = isCluster ? queue.status?.node?.id : undefined;
    return { queue, connection: watched?.connection?.id, redis: redis ?? recorded };
  }

  /**
   * Reads `queues` and forgets all others. `lookAhead`: how many seconds ahead tasks that fall due are counted.
   * Resolves when all were answered; never rejects.
   */
  async look(queues: readonly AsynqQueue[], lookAhead: (queue: AsynqQueue) => number): Promise<void> {
    const keys = new Set(queues.map(keyOf));
    for (const key of this.#watched.keys()) if (!keys.has(key)) this.#forget(key);
    void this.#closeUnused();
    const free = queues.map((queue) => this.#watch(queue)).filter(({ isBeingRead }) => !isBeingRead);
    for (const watched of free) watched.isBeingRead = true;
    await Promise.all(
      free.map(async (watched) => {
        if (await this.#connect(watched)) await this.#readSoon(watched, lookAhead);
      }),
    );
  }

  #readSoon(watched: Watched, lookAhead: (queue: AsynqQueue) => number): Promise<void> {
    this.#ready.push(watched);
    this.#reading ??= nextTurn().then(() => this.#readReady(lookAhead));
    return this.#reading;
  }

  async #readReady(lookAhead: (queue: AsynqQueue) => number): Promise<void> {
    const ready = this.#ready;
    this.#ready = [];
    this.#reading = undefined;
    const groups = Map.groupBy(ready, ({ connection, owner }) => `${connection?.id} ${owner}`);
    await Promise.all([...groups.values()].map((group) => this.#read(group, lookAhead)));
  }

  #forget(key: QueueKey): void {
    this.#watched.delete(key);
    this.#claimsVersion++;
  }

  #watch(queue: AsynqQueue): Watched {
    const known = this.#watched.get(keyOf(queue));
    if (known?.queue.metadata.uid === queue.metadata.uid) {
      known.queue = queue;
      return known;
    }
    const watched = {
      queue,
      connection: undefined,
      database: undefined,
      owner: '',
      sight: undefined,
      seenAt: this.#options.clock.monotonic(),
      isBeingRead: false,
    };
    this.#watched.set(keyOf(queue), watched);
    this.#claimsVersion++;
    return watched;
  }

  /** false: there is nothing to read, for now. */
  async #connect(watched: Watched): Promise<boolean> {
    const { source, operatorDefault, connections, log } = this.#options;
    const { queue } = watched;
    try {
      const resolved = await resolveRedis(queue, operatorDefault, source);
      if (resolved.kind === 'ready') {
        const { settings } = resolved;
        this.#useConnection(watched, connections.get(connectionOptions(settings)));
        watched.database = settings.spec.mode === 'Standalone' ? (settings.spec.db ?? 0) : undefined;
        return true;
      }
      this.#useConnection(watched, undefined);
      this.#seen(watched, { kind: 'refused', refusal: resolved.refusal });
    } catch (err) {
      if (AsynqError.is(err, 'ASYNQ_CONFIG_INVALID')) {
        const refusal = { reason: 'RedisNotConfigured', message: err.message } as const;
        this.#seen(watched, { kind: 'refused', refusal });
      } else if (!AsynqError.is(err, 'ASYNQ_CLOSED')) {
        log.warn({ err, queue: keyOf(queue) }, 'the Secrets of a connection could not be read');
        if (watched.connection !== undefined) return true;
        this.#seenNothing(watched, err);
      }
    }
    watched.isBeingRead = false;
    this.#options.onSeen([keyOf(queue)]);
    return false;
  }

  #useConnection(watched: Watched, connection: Connection | undefined): void {
    if (watched.connection === connection) return;
    watched.connection = connection;
    this.#claimsVersion++;
  }

  /** Queues of one owner; those whose owner is not known yet come together too. */
  async #read(group: readonly Watched[], lookAhead: (queue: AsynqQueue) => number): Promise<void> {
    const connection = group[0]?.connection;
    if (connection === undefined) return;
    const queries = new Map(
      group.map(({ queue }) => [
        queueName(queue),
        defined({
          queue: queueName(queue),
          soonSeconds: lookAhead(queue),
          groups: queue.spec.worker?.groups,
        }),
      ]),
    );
    const readings = await readAll(connection, [...queries.values()]);
    for (const watched of group) {
      const reading = readings(queueName(watched.queue));
      const before = watched.sight?.kind === 'read' ? watched.sight.redis : undefined;
      const redis = reading.kind === 'known' ? redisBehind(reading.snapshot, watched.database) : before;
      if (reading.kind === 'known') watched.owner = reading.snapshot.node.id;
      watched.isBeingRead = false;
      if (redis !== before) this.#claimsVersion++;
      if (watched.connection === connection)
        this.#seen(watched, { kind: 'read', reading, connection, redis });
    }
    this.#options.onSeen(group.map(({ queue }) => keyOf(queue)));
  }

  /** A connection that could not be made: not known, once that has lasted. A refusal stands. */
  #seenNothing(watched: Watched, cause: unknown): void {
    const { sight, seenAt } = watched;
    if (sight?.kind === 'refused') return;
    if (sight === undefined && this.#options.clock.monotonic() - seenAt <= STALE_MS) return;
    const message = `the Secrets of the connection cannot be read: ${errorText(cause)}`;
    const error = new AsynqError('ASYNQ_REDIS_UNREACHABLE', message, { cause });
    const reading = { kind: 'unknown', error } as const;
    this.#seen(watched, { kind: 'read', reading, connection: undefined, redis: sight?.redis });
  }

  #seen(watched: Watched, sight: Sight): void {
    watched.sight = sight;
    watched.seenAt = this.#options.clock.monotonic();
  }

  #closeUnused(): Promise<void> {
    const used = [...this.#watched.values()].flatMap(({ connection }) => connection?.id ?? []);
    return this.#options.connections.keepOnly(new Set(used));
  }
}

/** The reading of each queue by its name; what goes wrong altogether is what each of them says. */
async function readAll(
  { reader }: Connection,
  queries: readonly QueueQuery[],
): Promise<(queue: string) => QueueReading> {
  try {
    const readings = await reader.read(queries);
    const missing = new AsynqError(
      'ASYNQ_REDIS_COMMAND',
      'expected a reading of each queue, got none of this one',
    );
    return (queue) => readings.get(queue) ?? { kind: 'unknown', error: missing };
  } catch (thrown) {
    const error = AsynqError.is(thrown)
      ? thrown
      : new AsynqError('ASYNQ_REDIS_COMMAND', errorText(thrown), { cause: thrown });
    return () => ({ kind: 'unknown', error });
  }
}

function redisBehind({ node }: QueueSnapshot, database: number | undefined): string {
  return database === undefined ? node.id : `${node.id}/${database}`;
}
