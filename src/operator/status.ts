import { isDeepStrictEqual } from 'node:util';
import type { QueueSnapshot } from '../broker/queue-reader.ts';
import { defined } from '../runtime/defined.ts';
import { type AsynqQueueStatus, type Condition, queueName } from './asynq-queue.ts';
import { type Findings, type Verdict, verdicts } from './conditions.ts';
import type { Decision } from './decision.ts';

/** Numbers that move by themselves are written no more often than this, milliseconds. */
const NUMBERS_EVERY_MS = 15_000;

/** What the API server cuts off, and what it takes. */
const LONGEST_MESSAGE = 4096;

/** The status that `findings` make; what is not known now stays as it was. Pure. */
export function statusOf(findings: Findings, now: number, scaledAt?: number): AsynqQueueStatus {
  const { queue, reading, fleet, decision } = findings;
  const before = queue.status ?? {};
  const snapshot = reading?.kind === 'known' ? reading.snapshot : undefined;
  const latency = snapshot?.latencySeconds;
  return defined({
    observedGeneration: queue.metadata.generation,
    queue: queueName(queue),
    conditions: verdicts(findings, now).map((it) => conditionOf(it, findings, now)),
    keySlot: snapshot?.keySlot ?? before.keySlot,
    node: snapshot === undefined ? before.node : nodeOf(snapshot),
    size: snapshot?.size ?? before.size,
    latencySeconds: latency === undefined ? undefined : Math.floor(latency),
    replicas: fleet?.replicas ?? before.replicas,
    readyReplicas: fleet?.readyReplicas ?? before.readyReplicas,
    desiredReplicas: decision?.desired ?? before.desiredReplicas,
    decision: decision === undefined ? before.decision : recordOf(decision, now),
    lastScaleTime: scaledAt === undefined ? before.lastScaleTime : timestamp(scaledAt),
  });
}

function nodeOf({ node, replicas }: QueueSnapshot): AsynqQueueStatus['node'] {
  const byId = replicas.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return { id: node.id, addr: node.addr, replicas: byId.map(({ id, addr }) => ({ id, addr })) };
}

function conditionOf(verdict: Verdict, { queue }: Findings, now: number): Condition {
  const before = queue.status?.conditions?.find(({ type }) => type === verdict.type);
  return {
    ...verdict,
    message: verdict.message.slice(0, LONGEST_MESSAGE),
    observedGeneration: queue.metadata.generation,
    lastTransitionTime: before?.status === verdict.status ? before.lastTransitionTime : timestamp(now),
  };
}

function recordOf(
  { desired, reason, inputs, limiters }: Decision,
  now: number,
): AsynqQueueStatus['decision'] {
  return { at: timestamp(now), desired, reason, inputs, limiters };
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/**
 * Whether `next` is worth a write. What people and machines act on is, at once; sizes and ages are every 15 s; what
 * merely counts time is not, so that a quiet queue costs nothing.
 */
export function isWorthWriting(
  before: AsynqQueueStatus | undefined,
  next: AsynqQueueStatus,
  sinceWrittenMs: number,
): boolean {
  if (before === undefined || !isDeepStrictEqual(facts(before), facts(next))) return true;
  return sinceWrittenMs >= NUMBERS_EVERY_MS && !isDeepStrictEqual(numbers(before), numbers(next));
}

function facts(status: AsynqQueueStatus): unknown {
  const { conditions = [], decision, size: _size, latencySeconds: _latency, ...rest } = status;
  return [
    rest,
    decision?.desired,
    conditions
      .filter(({ type }) => type !== 'ScalingLimited')
      .map(({ type, status: is, reason, observedGeneration }) => [type, is, reason, observedGeneration]),
  ];
}

/** Why the same number was decided on is among them: a queue that gets a task now and then has another reason each second. */
function numbers({ size, latencySeconds, decision, conditions = [] }: AsynqQueueStatus): unknown {
  return [
    size,
    latencySeconds,
    decision?.reason,
    conditions.map(({ status, reason, message }) => [status, reason, message]),
  ];
}
