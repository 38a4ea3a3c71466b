import { describe, expect, it } from 'vitest';
import type { AsynqQueueStatus } from '../../../src/operator/asynq-queue.ts';
import { decide } from '../../../src/operator/autoscaler.ts';
import type { Findings } from '../../../src/operator/conditions.ts';
import { NO_HISTORY } from '../../../src/operator/decision.ts';
import type { FleetState } from '../../../src/operator/ends.ts';
import { isWorthWriting, statusOf } from '../../../src/operator/status.ts';
import { transitions } from '../../../src/operator/transitions.ts';
import { defined } from '../../../src/runtime/defined.ts';
import { fleetOf, queueOf, snapshotOf } from './builders.ts';
import { UNREACHABLE } from './memory-ends.ts';

const NOW = Date.parse('2026-06-01T12:00:00.500Z');

/** What a run finds of a queue with these figures and workers. */
function findings(
  figures: Parameters<typeof snapshotOf>[0] = {},
  fleet: FleetState = fleetOf(),
  before?: AsynqQueueStatus,
  spec: Parameters<typeof queueOf>[1] = {},
): Findings {
  const queue = queueOf({ generation: 3 }, spec, before);
  const reading = { kind: 'known', snapshot: snapshotOf({ at: NOW, ...figures }) } as const;
  const decision = decide(queue.spec, { reading, fleet }, NO_HISTORY, NOW);
  return { queue, refusal: undefined, reading, fleet, decision, isContested: false };
}

const unread = (before?: AsynqQueueStatus): Findings => ({
  ...findings({}, fleetOf(), before),
  reading: { kind: 'unknown', error: UNREACHABLE },
});

const short = (status: AsynqQueueStatus) =>
  Object.fromEntries(
    (status.conditions ?? []).map(({ type, status: is, reason }) => [type, `${is} ${reason}`]),
  );

describe('the status', () => {
  it('tells what was seen, decided and done', () => {
    const status = statusOf(
      findings(
        { size: { pending: 1_000 }, latencySeconds: 12.9 },
        fleetOf({ replicas: 1, readyReplicas: 1 }),
      ),
      NOW,
      NOW,
    );
    expect(status).toMatchObject({
      observedGeneration: 3,
      queue: 'imagenes',
      keySlot: 2788,
      node: { addr: '10.0.3.7:6379', replicas: [{ addr: '10.0.3.8:6379' }] },
      size: { pending: 1_000, active: 0 },
      latencySeconds: 12,
      replicas: 1,
      readyReplicas: 1,
      desiredReplicas: 6,
      decision: { at: '2026-06-01T12:00:00Z', desired: 6, reason: 'LatencyTarget', limiters: [] },
      lastScaleTime: '2026-06-01T12:00:00Z',
    });
    expect(short(status)).toEqual({
      Ready: 'True Applied',
      RedisReachable: 'True Read',
      WorkersAvailable: 'True WorkersReady',
      ScalingActive: 'True Scaling',
      ScalingLimited: 'False WithinBounds',
      Paused: 'False Redis',
    });
  });

  it('keeps what is not known now as it was', () => {
    const before = statusOf(findings({ size: { pending: 7 } }), NOW);
    const after = statusOf(unread(before), NOW + 60_000);
    expect(after).toMatchObject({ keySlot: 2788, node: before.node, size: { pending: 7 } });
    expect(after).not.toHaveProperty('latencySeconds');
  });

  it('names the replicas of the node in one order', () => {
    const nodes = ['c', 'a', 'b'].map((id) => ({ id, addr: `${id}:1` }));
    const { node } = statusOf(findings({ replicas: nodes }), NOW);
    expect(node?.replicas?.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('dates a condition from the last change of its status, not of its words', () => {
    const first = statusOf(findings(), NOW);
    const later = statusOf(findings({ clockSkew: true }, fleetOf(), first), NOW + 60_000);
    const dated = (status: AsynqQueueStatus, type: string) =>
      status.conditions?.find((condition) => condition.type === type);
    expect(dated(later, 'RedisReachable')).toMatchObject({
      reason: 'ClockSkew',
      lastTransitionTime: '2026-06-01T12:00:00Z',
    });
    const lost = statusOf(unread(later), NOW + 120_000);
    expect(dated(lost, 'RedisReachable')).toMatchObject({
      status: 'False',
      lastTransitionTime: '2026-06-01T12:02:00Z',
      observedGeneration: 3,
    });
  });

  it('has Reconciling and Stalled only while they are true', () => {
    const waiting = { ...findings(), reading: undefined, decision: undefined };
    expect(short(statusOf(waiting, NOW))).toMatchObject({
      Ready: 'Unknown NotReadYet',
      Reconciling: 'True Starting',
    });
    const refusal = { reason: 'NameConflict', message: 'taken' } as const;
    expect(short(statusOf({ ...findings(), refusal }, NOW))).toMatchObject({
      Ready: 'False NameConflict',
      Stalled: 'True NameConflict',
      ScalingActive: 'False NameConflict',
    });
    expect(Object.keys(short(statusOf(findings(), NOW)))).not.toContain('Stalled');
  });
});

describe('ScalingLimited', () => {
  const messageOf = (...args: Parameters<typeof findings>) =>
    statusOf(findings(...args), NOW).conditions?.find(({ type }) => type === 'ScalingLimited')?.message;
  const busy = { size: { pending: 150 } };
  const scaling = { target: { tasksPerReplica: 10 }, maxReplicas: 12 };
  const worker = { image: 'workers:1', concurrency: 10, drainTimeoutSeconds: 30 };

  it('says which number a bound gives', () => {
    expect(messageOf(busy, fleetOf(), undefined, { worker, scaling })).toBe('15 asked for, 12 given');
  });

  it('says what the limits of the queue allow, not what is given: the window may keep more', () => {
    const limited = (limits: object, replicas = 0) =>
      messageOf(busy, fleetOf({ replicas, readyReplicas: replicas }), undefined, { worker, scaling, limits });
    expect(limited({ concurrency: 25 })).toBe('15 asked for, at most 3 by the limit of 25 active');
    expect(limited({ concurrency: 25 }, 8)).toBe('15 asked for, at most 3 by the limit of 25 active');
    expect(limited({ ratePerSecond: 5 })).toMatch(
      /^15 asked for, at most \d by the limit of 5 started per second$/,
    );
  });
});

describe('Ready', () => {
  it('does not move when replicas do', () => {
    const fleets = [
      fleetOf(),
      fleetOf({ replicas: 4 }),
      fleetOf({ replicas: 4, notReadySince: NOW - 5_000 }),
      fleetOf({ replicas: 4, readyReplicas: 2 }),
      fleetOf({ replicas: 1, readyReplicas: 4 }),
    ];
    for (const fleet of fleets)
      expect(short(statusOf(findings({}, fleet), NOW))['Ready']).toBe('True Applied');
  });

  it('is False while no worker becomes ready at all', () => {
    const problem = { reason: 'CrashLoopBackOff', message: 'exit 1' };
    const failing = findings({}, fleetOf({ replicas: 1, problem }));
    expect(short(statusOf(failing, NOW))).toMatchObject({
      Ready: 'False CrashLoopBackOff',
      WorkersAvailable: 'False CrashLoopBackOff',
    });
    const late = findings({}, fleetOf({ replicas: 1, startupSeconds: [4], notReadySince: NOW - 13_000 }));
    expect(short(statusOf(late, NOW))).toMatchObject({ Ready: 'False NotStarting' });
  });

  it('stays True while some workers work', () => {
    const problem = { reason: 'ImagePullBackOff', message: 'not found' };
    const half = findings({}, fleetOf({ replicas: 4, readyReplicas: 3, problem }));
    expect(short(statusOf(half, NOW))).toMatchObject({
      Ready: 'True Applied',
      WorkersAvailable: 'False ImagePullBackOff',
    });
  });
});

describe('a write of the status', () => {
  const written = statusOf(findings({ size: { pending: 5 }, latencySeconds: 3 }), NOW);
  const sizes = ({ size, latencySeconds }: AsynqQueueStatus) => defined({ size, latencySeconds });
  const worth = (next: AsynqQueueStatus, sinceMs: number) => isWorthWriting(written, next, sinceMs);

  it('is worth it for the first one', () => {
    expect(isWorthWriting(undefined, written, 0)).toBe(true);
  });

  it('is not worth it when only time has passed', () => {
    const later = statusOf(
      findings({ size: { pending: 5 }, latencySeconds: 3 }, fleetOf(), written),
      NOW + 60_000,
    );
    expect(worth(later, 60_000)).toBe(false);
    const reordered = JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(later).toReversed())));
    expect(worth(reordered as AsynqQueueStatus, 60_000)).toBe(false);
  });

  it('waits for 15 seconds when sizes or ages move', () => {
    const moved = statusOf(findings({ size: { pending: 6 }, latencySeconds: 4 }, fleetOf(), written), NOW);
    expect(worth(moved, 14_999)).toBe(false);
    expect(worth(moved, 15_000)).toBe(true);
  });

  it('waits for 15 seconds when another reason, or a bound, leads to the same number', () => {
    const minimum = { scaling: { minReplicas: 1 } };
    const idle = statusOf(findings({}, fleetOf(), undefined, minimum), NOW);
    const busy = statusOf(findings({ size: { active: 1 } }, fleetOf(), idle, minimum), NOW + 1_000);
    expect([idle, busy].map((status) => [status.decision?.reason, short(status)['ScalingLimited']])).toEqual([
      ['Idle', 'True MinReplicas'],
      ['LatencyTarget', 'False WithinBounds'],
    ]);
    expect(isWorthWriting(idle, { ...busy, ...sizes(idle) }, 14_999)).toBe(false);
    expect(isWorthWriting(idle, { ...busy, ...sizes(idle) }, 15_000)).toBe(true);
  });

  it.each<[string, Findings]>([
    ['a decision', findings({ size: { pending: 9_999 } }, fleetOf(), written)],
    [
      'a worker that became ready',
      findings({ size: { pending: 5 } }, fleetOf({ replicas: 1, readyReplicas: 1 }), written),
    ],
    [
      'a condition',
      {
        ...findings({ size: { pending: 5 } }, fleetOf(), written),
        refusal: { reason: 'NameConflict', message: '' },
      },
    ],
    [
      'another owner',
      findings({ size: { pending: 5 }, node: { id: 'new', addr: 'new:1' } }, fleetOf(), written),
    ],
  ])('is worth it at once for %s', (_, changed) => {
    expect(worth(statusOf(changed, NOW), 0)).toBe(true);
  });
});

describe('events', () => {
  const reasons = (before: AsynqQueueStatus | undefined, now: AsynqQueueStatus) =>
    transitions(before, now).map(({ type, reason }) => `${type} ${reason}`);
  const well = statusOf(findings(), NOW);

  it('tell of nothing when nothing happened, first or later', () => {
    expect(reasons(undefined, well)).toEqual([]);
    expect(reasons(well, well)).toEqual([]);
  });

  it('tell once of a Redis that goes away and comes back', () => {
    const lost = statusOf(unread(well), NOW);
    expect(reasons(well, lost)).toEqual(['Warning RedisUnreachable']);
    expect(reasons(lost, lost)).toEqual([]);
    expect(reasons(lost, well)).toEqual(['Normal RedisReachable']);
  });

  it('tell of what stalls, of another thing that does, and of recovery', () => {
    const stalled = (reason: 'NameConflict' | 'InvalidTemplate') =>
      statusOf({ ...findings(), refusal: { reason, message: 'words' } }, NOW);
    expect(reasons(well, stalled('NameConflict'))).toEqual(['Warning NameConflict']);
    expect(reasons(stalled('NameConflict'), stalled('InvalidTemplate'))).toEqual(['Warning InvalidTemplate']);
    expect(reasons(stalled('InvalidTemplate'), well)).toEqual(['Normal Recovered']);
  });

  it('tell of workers that fail and work again', () => {
    const problem = { reason: 'CrashLoopBackOff', message: 'exit 1' };
    const failing = statusOf(findings({}, fleetOf({ replicas: 1, problem })), NOW);
    expect(reasons(well, failing)).toEqual(['Warning CrashLoopBackOff']);
    const ready = statusOf(findings({}, fleetOf({ replicas: 1, readyReplicas: 1 })), NOW);
    expect(reasons(failing, ready)).toEqual(['Normal WorkersAvailable']);
  });

  it('tell of a pause and its end, of skewed clocks, and of tasks that nobody has', () => {
    const paused = statusOf(findings({ paused: true }), NOW);
    expect(reasons(well, paused)).toEqual(['Normal Paused']);
    expect(reasons(paused, well)).toEqual(['Normal Resumed']);
    const unknown = statusOf(unread(paused), NOW);
    expect(reasons(unknown, paused)).not.toContain('Normal Paused');
    expect(reasons(undefined, paused)).toEqual(['Normal Paused']);
    expect(reasons(well, statusOf(findings({ clockSkew: true }), NOW))).toEqual(['Warning ClockSkew']);
    const haunted = { ...well, decision: { at: '', desired: 0, reason: 'Asleep', inputs: { ghosts: 2 } } };
    expect(reasons(well, haunted)).toEqual(['Warning ActiveWithoutLease']);
    expect(reasons(haunted, haunted)).toEqual([]);
  });
});
