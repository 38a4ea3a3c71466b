import type { AsynqQueueStatus, Condition } from './asynq-queue.ts';
import type { QueueEvent } from './ends.ts';

/** What is worth telling about a condition that went from one status to the other; undefined: nothing. */
type Teller = (now: Condition, before: Condition | undefined) => QueueEvent | undefined;

const TELLERS: Readonly<Record<string, Teller>> = {
  Stalled: (now) => warning(now.reason, 'Reconcile', now.message),
  ScalingConflict: (now) => warning('ScalingConflict', 'Scale', now.message),
  RedisReachable: (now, before) => {
    if (now.status === 'False') return warning(now.reason, 'Read', now.message);
    return before?.status === 'False' ? normal('RedisReachable', 'Read', now.message) : undefined;
  },
  WorkersAvailable: (now, before) => {
    if (now.status === 'False') return warning(now.reason, 'Start', now.message);
    return before?.status === 'False' && now.status === 'True'
      ? normal('WorkersAvailable', 'Start', now.message)
      : undefined;
  },
  LimitsEnforced: (now, before) => {
    if (now.reason === 'ForeignWorkers') return warning('ForeignWorkers', 'Limit', now.message);
    return before?.reason === 'ForeignWorkers' && now.status === 'True'
      ? normal('LimitsEnforced', 'Limit', now.message)
      : undefined;
  },
  Paused: (now, before) => {
    // Out of sight in between, it has most likely been paused all along.
    const isNews = before === undefined || before.status === 'False';
    if (now.status === 'True') return isNews ? normal('Paused', 'Pause', now.message) : undefined;
    return before?.status === 'True' && now.status === 'False'
      ? normal('Resumed', 'Pause', now.message)
      : undefined;
  },
};

/** The events that lead from one status to the next: transitions only, never a state that lasts. */
export function transitions(
  before: AsynqQueueStatus | undefined,
  now: AsynqQueueStatus,
): readonly QueueEvent[] {
  const stalled = conditionOf(now, 'Stalled');
  const events = (now.conditions ?? []).flatMap((condition) => {
    const previous = conditionOf(before, condition.type);
    const isNews =
      previous?.status !== condition.status ||
      (condition.status !== 'True' && previous.reason !== condition.reason) ||
      (condition.type === 'Stalled' && previous.reason !== condition.reason);
    return (isNews && TELLERS[condition.type]?.(condition, previous)) || [];
  });
  const isRepeated = (event: QueueEvent) => event.action === 'Read' && event.reason === stalled?.reason;
  const wasStalled = conditionOf(before, 'Stalled') !== undefined;
  const isStalled = conditionOf(now, 'Stalled') !== undefined;
  if (wasStalled && !isStalled)
    events.push(normal('Recovered', 'Reconcile', 'nothing stands in the way any more'));
  return [...events.filter((event) => !isRepeated(event)), ...clockSkew(before, now), ...ghosts(before, now)];
}

function clockSkew(before: AsynqQueueStatus | undefined, now: AsynqQueueStatus): readonly QueueEvent[] {
  const [was, is] = [before, now].map((it) => conditionOf(it, 'RedisReachable')?.reason === 'ClockSkew');
  return is && !was
    ? [warning('ClockSkew', 'Read', 'the oldest tasks carry a time that lies in the future')]
    : [];
}

function ghosts(before: AsynqQueueStatus | undefined, now: AsynqQueueStatus): readonly QueueEvent[] {
  const [known = 0, found = 0] = [before, now].map((it) => it?.decision?.inputs?.['ghosts']);
  const message = `${found} active tasks have had no lease for ten minutes: no worker has them, and none recovers them`;
  return found > 0 && known === 0 ? [warning('ActiveWithoutLease', 'Read', message)] : [];
}

function conditionOf(status: AsynqQueueStatus | undefined, wanted: string): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === wanted);
}

function normal(reason: string, action: string, message: string): QueueEvent {
  return { type: 'Normal', reason, action, message };
}

function warning(reason: string, action: string, message: string): QueueEvent {
  return { type: 'Warning', reason, action, message };
}
