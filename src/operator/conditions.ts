import type { QueueReading } from '../broker/queue-reader.ts';
import { defined } from '../runtime/defined.ts';
import type { ErrorCode } from '../runtime/errors.ts';
import type { AsynqQueue, Condition } from './asynq-queue.ts';
import type { Decision } from './decision.ts';
import type { FleetState } from './ends.ts';
import { limitsText } from './limits-enforcement.ts';
import type { Refusal, RefusalReason } from './refusal.ts';
import { startUpOverdue } from './start-up.ts';

/** All that a status is made from. */
export interface Findings {
  readonly queue: AsynqQueue;
  /** Why nothing can be done until somebody changes something. */
  readonly refusal: Refusal | undefined;
  /** undefined: Redis was not asked yet. */
  readonly reading: QueueReading | undefined;
  /** undefined: the workers were not looked at. */
  readonly fleet: FleetState | undefined;
  /** undefined: there was none. */
  readonly decision: Decision | undefined;
  /** Others keep changing the number of workers: it is left to them. */
  readonly isContested: boolean;
  /** Absent: not looked at. */
  readonly limits?: LimitsFinding;
  /** The paused flag in Redis is as the spec says; absent: it is not the spec that sets it now. */
  readonly flagStands?: boolean;
}

export interface LimitsFinding {
  /** Those in Redis are what the spec says. */
  readonly stand: boolean;
  /** Tasks are started by servers that do not keep to them. */
  readonly areIgnored: boolean;
}

/** A condition before it is compared with what it was. */
export type Verdict = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** Redis may be away for so long before `Ready` says so. */
const FAILOVER_MS = 30_000;

/** Errors of Redis that no waiting cures. */
const REDIS_REFUSALS: Partial<Record<ErrorCode, RefusalReason>> = {
  ASYNQ_REDIS_AUTH: 'RedisAuthFailed',
  ASYNQ_REDIS_NOT_A_CLUSTER: 'RedisNotACluster',
  ASYNQ_REDIS_VERSION: 'RedisTooOld',
};

const REDIS_REASONS: Partial<Record<ErrorCode, string>> = {
  ...REDIS_REFUSALS,
  ASYNQ_REDIS_UNREACHABLE: 'RedisUnreachable',
  ASYNQ_REDIS_SLOT_UNSERVED: 'RedisSlotUnserved',
};

/** What a reading says of the spec. */
export function redisRefusal(reading: QueueReading): Refusal | undefined {
  if (reading.kind === 'known') return undefined;
  const reason = REDIS_REFUSALS[reading.error.code];
  return reason && { reason, message: reading.error.message };
}

/**
 * In the order in which `kubectl describe` shows them. Reconciling, Stalled and ScalingConflict are there only while true,
 * LimitsEnforced where there are limits.
 */
export function verdicts(findings: Findings, now: number): readonly Verdict[] {
  return [
    ready(findings, now),
    ...progress(findings),
    redisReachable(findings),
    workersAvailable(findings, now),
    scalingActive(findings),
    ...contested(findings),
    scalingLimited(findings),
    paused(findings),
    ...limitsEnforced(findings),
  ];
}

function verdict(
  type: string,
  status: Verdict['status'] | boolean,
  reason: string,
  message: string,
): Verdict {
  const text = typeof status === 'boolean' ? (status ? 'True' : 'False') : status;
  return { type, status: text, reason, message };
}

/** The spec is applied and the loop works; it does not move when replicas do. */
function ready({ queue, refusal, reading, fleet }: Findings, now: number): Verdict {
  if (refusal !== undefined) return verdict('Ready', false, refusal.reason, refusal.message);
  if (reading === undefined || fleet === undefined) {
    return verdict('Ready', 'Unknown', 'NotReadYet', 'the queue was not read yet');
  }
  if (fleet.replicas > 0 && fleet.readyReplicas === 0 && startUpOverdue(fleet, now)) {
    const { reason, message } = workerProblem(fleet);
    return verdict('Ready', false, reason, message);
  }
  if (reading.kind === 'unknown' && !isWithinFailover(queue, now)) {
    return verdict('Ready', false, redisReason(reading.error.code), reading.error.message);
  }
  return verdict('Ready', true, 'Applied', 'the spec is applied, and the queue is watched');
}

/** A queue that was ready and whose Redis is away no longer than a failover takes. */
function isWithinFailover({ status }: AsynqQueue, now: number): boolean {
  const of = (wanted: string) => status?.conditions?.find(({ type }) => type === wanted);
  const reachable = of('RedisReachable');
  if (of('Ready')?.status !== 'True' || reachable === undefined) return false;
  return reachable.status !== 'False' || now - Date.parse(reachable.lastTransitionTime) < FAILOVER_MS;
}

function progress({ refusal, reading, fleet }: Findings): readonly Verdict[] {
  if (refusal !== undefined) return [verdict('Stalled', true, refusal.reason, refusal.message)];
  if (reading !== undefined && fleet !== undefined) return [];
  return [verdict('Reconciling', true, 'Starting', 'waiting for the first reading of the queue')];
}

function redisReachable({ reading }: Findings): Verdict {
  if (reading === undefined) {
    return verdict('RedisReachable', 'Unknown', 'NotReadYet', 'the queue was not read yet');
  }
  if (reading.kind === 'unknown') {
    return verdict('RedisReachable', false, redisReason(reading.error.code), reading.error.message);
  }
  const { node, clockSkew } = reading.snapshot;
  return clockSkew
    ? verdict('RedisReachable', true, 'ClockSkew', 'the oldest tasks carry a time that lies in the future')
    : verdict('RedisReachable', true, 'Read', `read from ${node.addr}`);
}

function redisReason(code: ErrorCode): string {
  return REDIS_REASONS[code] ?? 'RedisCommandFailed';
}

function workersAvailable({ fleet }: Findings, now: number): Verdict {
  const of = (status: Verdict['status'], reason: string, message: string) =>
    verdict('WorkersAvailable', status, reason, message);
  if (fleet === undefined) return of('Unknown', 'NotReadYet', 'the workers were not looked at yet');
  const { replicas, readyReplicas, problem } = fleet;
  if (problem !== undefined || (readyReplicas === 0 && startUpOverdue(fleet, now))) {
    const { reason, message } = workerProblem(fleet);
    return of('False', reason, message);
  }
  if (replicas === 0) return of('True', 'ScaledToZero', 'no worker is asked for');
  if (readyReplicas === 0) return of('Unknown', 'Starting', 'no worker is ready yet');
  return of('True', 'WorkersReady', 'workers are ready');
}

function workerProblem({ problem }: FleetState): { readonly reason: string; readonly message: string } {
  return (
    problem ?? { reason: 'NotStarting', message: 'no worker became ready in three times its usual start-up' }
  );
}

function scalingActive({ queue, refusal, reading, decision, isContested }: Findings): Verdict {
  const of = (status: Verdict['status'], reason: string, message: string) =>
    verdict('ScalingActive', status, reason, message);
  const { mode } = queue.spec.scaling;
  if (refusal !== undefined) return of('False', refusal.reason, refusal.message);
  if (mode !== 'Auto')
    return of('False', mode, `scaling.mode is ${mode}: the number of workers is left alone`);
  if (reading === undefined || decision === undefined) {
    return of('Unknown', 'NotReadYet', 'the queue was not read yet');
  }
  if (isContested) return of('False', 'ScalingConflict', CONTESTED);
  if (reading.kind === 'unknown') {
    return of('False', 'RedisUnknown', 'Redis cannot be read: nothing is lowered');
  }
  return of('True', 'Scaling', 'the number of workers follows the queue');
}

const CONTESTED = 'others keep changing the number of workers: it is left to them for five minutes';

function contested({ isContested }: Findings): readonly Verdict[] {
  return isContested ? [verdict('ScalingConflict', true, 'ForeignWriter', CONTESTED)] : [];
}

const BOUNDS: readonly string[] = [
  'QueueConcurrency',
  'QueueRate',
  'WorkersNotStarting',
  'MaxReplicas',
  'MinReplicas',
];

function scalingLimited({ decision }: Findings): Verdict {
  if (decision === undefined)
    return verdict('ScalingLimited', 'Unknown', 'NotDecidedYet', 'nothing was decided yet');
  const limiter = decision.limiters.findLast(({ name }) => BOUNDS.includes(name));
  if (limiter === undefined) {
    return verdict(
      'ScalingLimited',
      false,
      'WithinBounds',
      'the number of workers is what the queue asks for',
    );
  }
  const { name, before, after } = limiter;
  const limit = queueLimit(name, decision);
  // Tolerance and window come after the limits of the queue: these bound the number, and need not be it.
  const got = limit === undefined ? `${after} given` : `at most ${after} by the limit of ${limit}`;
  return verdict('ScalingLimited', true, name, `${before} asked for, ${got}`);
}

function queueLimit(name: string, { inputs }: Decision): string | undefined {
  const { limitConcurrency: concurrency, limitRatePerSecond: ratePerSecond } = inputs;
  if (name === 'QueueConcurrency') return limitsText(defined({ concurrency }));
  return name === 'QueueRate' ? limitsText(defined({ ratePerSecond })) : undefined;
}

function paused({ queue, reading, flagStands }: Findings): Verdict {
  if (reading?.kind !== 'known') {
    return verdict('Paused', 'Unknown', 'NotReadYet', 'it is not known whether the queue is paused');
  }
  const { paused: declared } = queue.spec;
  const { paused: isPaused } = reading.snapshot;
  if (flagStands === undefined || declared === undefined) {
    return verdict('Paused', isPaused, 'Redis', `the queue is ${isPaused ? '' : 'not '}paused in Redis`);
  }
  return flagStands
    ? verdict('Paused', declared, 'Spec', `spec.paused is ${declared}`)
    : verdict('Paused', isPaused, 'NotSet', `spec.paused is ${declared}: it could not be set in Redis yet`);
}

const IGNORED = "tasks are started by servers that keep to no limits (Go's asynq, or an older release)";

function limitsEnforced({ queue, refusal, reading, limits }: Findings): readonly Verdict[] {
  const { limits: declared, scaling } = queue.spec;
  const of = (status: Verdict['status'], reason: string, message: string) => [
    verdict('LimitsEnforced', status, reason, message),
  ];
  if (reading?.kind !== 'known') {
    return declared === undefined
      ? []
      : of('Unknown', 'NotReadYet', 'it is not known which limits stand in Redis');
  }
  const inForce = declared ?? reading.snapshot.limits;
  if (inForce === undefined) return [];
  if (declared !== undefined && limits?.stand !== true) {
    if (refusal !== undefined) return of('False', refusal.reason, refusal.message);
    return scaling.mode === 'Observe'
      ? of('False', 'Observe', 'scaling.mode is Observe: the limits are not set')
      : of('False', 'NotSet', 'the limits could not be set in Redis yet');
  }
  if (limits?.areIgnored === true) return of('False', 'ForeignWorkers', IGNORED);
  const says = declared === undefined ? 'set in Redis' : 'by spec.limits';
  return of('True', 'Enforced', `at most ${limitsText(inForce)}, ${says}`);
}
