import { isDeepStrictEqual } from 'node:util';
import type { QueueSnapshot } from '../broker/queue-reader.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { type AsynqQueue, keyOf } from './asynq-queue.ts';
import { decide } from './autoscaler.ts';
import { type Findings, type LimitsFinding, redisRefusal } from './conditions.ts';
import { type Decision, type History, recall } from './decision.ts';
import type { Fleet, FleetResult, QueueKey, QueueSource } from './ends.ts';
import { hasForeignStarts, recallForeign, type StartsWatch, watchStarts } from './foreign-starts.ts';
import { enforceLimits, type LimitsSeen, limitsStand, recallLimits } from './limits-enforcement.ts';
import { enforcePaused, type PausedSeen, recallPaused } from './paused-flag.ts';
import type { Sight } from './queue-observer.ts';
import type { Refusal } from './refusal.ts';
import { attempting, found, isFight, NO_FIGHT, type ScalingFight, settled } from './scaling-fight.ts';
import { isWorthWriting, statusOf } from './status.ts';
import { transitions } from './transitions.ts';

/** Hears of what was decided and done; metrics, mostly. */
export interface ReconcilerListener {
  decided?(queue: AsynqQueue, findings: Findings): void;
  scaled?(queue: AsynqQueue, from: number, to: number): void;
  forgotten?(key: QueueKey): void;
}

export interface ReconcilerOptions {
  readonly source: QueueSource;
  readonly fleet: Fleet;
  /** What was last seen of the AsynqQueue's queue in Redis. */
  readonly sight: (queue: AsynqQueue) => Sight | undefined;
  /** Why the AsynqQueue has to stand back behind another. */
  readonly conflict: (key: QueueKey) => Refusal | undefined;
  /** Whether this process may (still) write to Redis. */
  readonly mayWrite: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly listener?: ReconcilerListener;
}

/** What is remembered of one AsynqQueue from one run to the next. */
interface Memory {
  readonly uid: string;
  history: History;
  /** Monotonic milliseconds of the last write of its status. */
  statusWrittenAt: number;
  scaledAt: number | undefined;
  fight: ScalingFight;
  starts: StartsWatch | undefined;
  limitsSeen: LimitsSeen | undefined;
  pausedSeen: PausedSeen | undefined;
  /** How all was when the last run found nothing to do for a sleeping queue. */
  rest: { readonly queue: AsynqQueue; readonly snapshot: QueueSnapshot; readonly until: number } | undefined;
}

/** A sleeping queue of which nothing new is seen is gone over this often all the same, milliseconds. */
const REST_MS = 15_000;

/**
 * Brings one AsynqQueue to what it says: what was seen of its queue -> how many workers -> make it so -> tell.
 *
 * One direction, and each step may be the last: a run that dies anywhere is repaired by the next one. Only reads from
 * caches, but for what it changes; nothing is written where nothing differs.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #memories = new Map<QueueKey, Memory>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  async reconcile(key: QueueKey): Promise<void> {
    const { source, fleet, sight, listener } = this.#options;
    const queue = source.get(key);
    if (queue === undefined) {
      this.#memories.delete(key);
      listener?.forgotten?.(key);
      return fleet.remove(key);
    }
    if (queue.metadata.deletionTimestamp !== undefined) return;
    const memory = this.#memory(queue);
    // After a restart what the operator before found still stands, until the queue is read again.
    if (sight(queue) === undefined && queue.status !== undefined) return;
    memory.rest = undefined;
    const findings = await this.#work(queue, memory);
    listener?.decided?.(queue, findings);
    const isTold = await this.#report(findings, memory);
    if (!isTold) memory.rest = this.#rest(findings);
  }

  /**
   * Whether a run would find all as the last one left it: a sleeping queue, of which nothing new was seen. It was followed up
   * to now then, without a run.
   */
  letRest(key: QueueKey): boolean {
    const { source, sight, clock } = this.#options;
    const memory = this.#memories.get(key);
    if (memory?.rest === undefined) return false;
    const { rest } = memory;
    if (rest.until <= clock.monotonic() || rest.queue !== source.get(key)) return false;
    const seen = sight(rest.queue);
    if (seen?.kind !== 'read' || seen.reading.kind !== 'known') return false;
    if (!isSame(seen.reading.snapshot, rest.snapshot)) return false;
    memory.history = { ...memory.history, followedUntil: clock.now() };
    return true;
  }

  #rest({ queue, refusal, reading, decision, limits, flagStands }: Findings): Memory['rest'] {
    if (flagStands === false) return undefined;
    const isUnset = limits?.stand === false && queue.spec.scaling.mode !== 'Observe';
    if (isUnset || limits?.areIgnored === true) return undefined;
    if (refusal !== undefined || reading?.kind !== 'known' || decision?.reason !== 'Asleep') return undefined;
    return { queue, snapshot: reading.snapshot, until: this.#options.clock.monotonic() + REST_MS };
  }

  async #work(queue: AsynqQueue, memory: Memory): Promise<Findings> {
    const { fleet, sight: sightOf, conflict, clock } = this.#options;
    const sight = sightOf(queue);
    const state = fleet.state(queue);
    const nothing = {
      queue,
      refusal: undefined,
      reading: undefined,
      fleet: state,
      decision: undefined,
      isContested: false,
    };
    if (sight === undefined) return nothing;
    const standBack = conflict(keyOf(queue));
    if (sight.kind === 'refused') return { ...nothing, refusal: standBack ?? sight.refusal };
    const { reading } = sight;
    if (standBack !== undefined) return { ...nothing, reading, refusal: standBack };

    const { mode, minReplicas } = queue.spec.scaling;
    const flag = await enforcePaused(queue, sight, memory.pausedSeen, this.#options);
    memory.pausedSeen = flag.seen;
    const now = clock.now();
    const limits = await this.#limits(queue, sight, memory, now);
    const decision = decide(queue.spec, { reading, fleet: state }, memory.history, now);
    memory.history = decision.history;
    const isAuto = mode === 'Auto';
    memory.fight = isAuto ? found(memory.fight, state.replicas, now) : NO_FIGHT;
    const isContested = isFight(memory.fight);
    const mayScale = isAuto && !isContested;
    const atBirth = state.presence === 'absent' && mode !== 'Observe' ? minReplicas : undefined;
    if (mayScale) memory.fight = attempting(memory.fight, decision.desired);
    const result = await fleet.apply(queue, mayScale ? decision.desired : atBirth);
    this.#tell(queue, state.replicas, decision, result, memory);
    const after = fleet.state(queue);
    if (mayScale && result.refusal === undefined) memory.fight = settled(memory.fight, after.replicas);
    return {
      queue,
      refusal: result.refusal ?? redisRefusal(reading),
      reading,
      fleet: after,
      decision,
      isContested,
      limits,
      ...(flag.stands !== undefined && { flagStands: flag.stands }),
    };
  }

  async #limits(
    queue: AsynqQueue,
    sight: Sight & { kind: 'read' },
    memory: Memory,
    now: number,
  ): Promise<LimitsFinding> {
    const { reading } = sight;
    if (reading.kind === 'known') memory.starts = watchStarts(memory.starts, reading.snapshot, now);
    const areIgnored = hasForeignStarts(memory.starts, now);
    if (queue.spec.scaling.mode === 'Observe') {
      const stand = reading.kind === 'known' && limitsStand(queue, reading.snapshot.limits);
      return { stand, areIgnored };
    }
    const { stand, seen } = await enforceLimits(queue, sight, memory.limitsSeen, this.#options);
    memory.limitsSeen = seen;
    return { stand, areIgnored };
  }

  #tell(queue: AsynqQueue, from: number, decision: Decision, result: FleetResult, memory: Memory): void {
    const { source, clock, log, listener } = this.#options;
    const { changed, scaledTo: to } = result;
    const { reason, inputs, limiters } = decision;
    const tell = (word: string, action: string, message: string) =>
      source.event(queue, { type: 'Normal', reason: word, action, message });
    if (changed.includes('created')) {
      tell('WorkersCreated', 'Apply', `workers can be started now, ${to ?? from} of them at first`);
    }
    if (changed.includes('updated')) {
      tell('WorkersUpdated', 'Apply', 'what the workers are started with has changed');
    }
    if (to === undefined) return;
    memory.scaledAt = clock.now();
    const why = [reason, ...limiters.map(({ name }) => name)].join(', ');
    tell(to > from ? 'ScaledUp' : 'ScaledDown', 'Scale', `${from} -> ${to} replicas: ${why}`);
    listener?.scaled?.(queue, from, to);
    log.info({ queue: keyOf(queue), from, to, reason, inputs, limiters }, 'scaled');
  }

  /** Whether there was something to tell. */
  async #report(findings: Findings, memory: Memory): Promise<boolean> {
    const { source, clock } = this.#options;
    const { queue } = findings;
    const next = statusOf(findings, clock.now(), memory.scaledAt);
    const sinceMs = clock.monotonic() - memory.statusWrittenAt;
    if (!isWorthWriting(queue.status, next, sinceMs)) return false;
    for (const event of transitions(queue.status, next)) source.event(queue, event);
    await source.writeStatus(queue, next);
    memory.statusWrittenAt = clock.monotonic();
    return true;
  }

  #memory(queue: AsynqQueue): Memory {
    const { uid } = queue.metadata;
    const known = this.#memories.get(keyOf(queue));
    if (known?.uid === uid) return known;
    const memory: Memory = {
      uid,
      history: recall(queue.status?.decision),
      statusWrittenAt: Number.NEGATIVE_INFINITY,
      scaledAt: undefined,
      fight: NO_FIGHT,
      limitsSeen: recallLimits(queue),
      pausedSeen: recallPaused(queue),
      starts: recallForeign(queue.status, this.#options.clock.now()),
      rest: undefined,
    };
    this.#memories.set(keyOf(queue), memory);
    return memory;
  }
}

/** The same queue, but for the moment at which it was read. */
function isSame({ at: _at, ...a }: QueueSnapshot, { at: _then, ...b }: QueueSnapshot): boolean {
  return isDeepStrictEqual(a, b);
}
