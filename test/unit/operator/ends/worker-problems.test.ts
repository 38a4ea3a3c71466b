import { describe, expect, it } from 'vitest';
import type { Deployment, Pod } from '../../../../src/kube/resources.ts';
import { lookAt, NO_MEMORY } from '../../../../src/operator/ends/fleet-health.ts';
import { deploymentProblem, podProblem } from '../../../../src/operator/ends/worker-problems.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1000).toISOString();

type Status = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];

function pod(container: Partial<Status>, metadata: Partial<Pod['metadata']> = {}, ready?: string): Pod {
  const status = {
    name: 'worker',
    image: 'mine:1',
    imageID: '',
    ready: false,
    restartCount: 0,
    ...container,
  };
  return {
    metadata: { name: 'p', uid: 'p', creationTimestamp: at(60), ...metadata },
    status: {
      containerStatuses: [status],
      ...(ready === undefined
        ? {}
        : { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: ready }] }),
    },
  };
}

function deployment(replicas = 1, readyReplicas = 0, conditions: readonly object[] = []): Deployment {
  return {
    metadata: { name: 'd', generation: 1 },
    spec: { replicas },
    status: { readyReplicas, conditions },
  } as unknown as Deployment;
}

const crashed = (message: string, secondsAgo = 5) => ({
  terminated: { exitCode: 1, reason: 'Error', message, finishedAt: at(secondsAgo) },
});

describe('what keeps workers from becoming ready', () => {
  it.each<[string, Partial<Status>, string, string]>([
    [
      'a crash loop, with the last words',
      {
        restartCount: 4,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } },
        lastState: crashed('expected a default export, got none'),
      },
      'CrashLoopBackOff',
      'container worker ended with exit code 1 (Error): expected a default export, got none',
    ],
    [
      'a first crash',
      { state: crashed('') },
      'CrashLoopBackOff',
      'container worker ended with exit code 1 (Error)',
    ],
    [
      'a crash loop that is running at the moment',
      { restartCount: 1, state: { running: {} }, lastState: crashed('boom') },
      'CrashLoopBackOff',
      'container worker ended with exit code 1 (Error): boom',
    ],
    [
      'a crash loop whose worker is ready for a moment',
      { restartCount: 3, ready: true, state: { running: {} }, lastState: crashed('boom', 60) },
      'CrashLoopBackOff',
      'container worker ended with exit code 1 (Error): boom',
    ],
    [
      'an image that cannot be pulled',
      { state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } },
      'ImagePullBackOff',
      'mine:1: not found',
    ],
    [
      'the same between two attempts',
      { state: { waiting: { reason: 'ErrImagePull', message: 'not found' } } },
      'ImagePullBackOff',
      'mine:1: not found',
    ],
    [
      'a container that cannot be made',
      { state: { waiting: { reason: 'CreateContainerConfigError', message: 'secret "x" not found' } } },
      'CreateContainerConfigError',
      'mine:1: secret "x" not found',
    ],
  ])('%s', (_, container, reason, message) => {
    expect(podProblem([pod(container)], NOW)).toEqual({ reason, message });
  });

  it.each<[string, Partial<Status>]>([
    ['a worker that is being made', { state: { waiting: { reason: 'ContainerCreating' } } }],
    ['a worker that is starting', { state: { running: {} } }],
    ['a worker that is ready', { ready: true, state: { running: {} } }],
    [
      'a worker that crashed once and is ready',
      { ready: true, restartCount: 1, state: { running: {} }, lastState: crashed('boom') },
    ],
    [
      'a worker whose crashes are long ago',
      { ready: true, restartCount: 9, state: { running: {} }, lastState: crashed('boom', 700) },
    ],
  ])('not: %s', (_, container) => {
    expect(podProblem([pod(container)], NOW)).toBeUndefined();
  });

  it('is not what a pod says that is going', () => {
    const going = pod({ state: crashed('boom') }, { deletionTimestamp: at(1) });
    expect(podProblem([going], NOW)).toBeUndefined();
  });

  it('is what the Deployment says when pods say nothing', () => {
    const late = {
      type: 'Progressing',
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: 'too slow',
    };
    const failure = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' };
    expect(deploymentProblem(deployment(1, 0, [late]))).toEqual({
      reason: 'ProgressDeadlineExceeded',
      message: 'too slow',
    });
    expect(deploymentProblem(deployment(1, 0, [late, failure]))?.reason).toBe('FailedCreate');
    expect(lookAt(deployment(1, 0, [late]), [], NO_MEMORY, NOW).state.problem?.message).toBe('too slow');
  });

  it('is over with the words of the Deployment: only what a pod said is remembered', () => {
    const failure = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' };
    const { memory } = lookAt(deployment(2, 1, [failure]), [], NO_MEMORY, NOW);
    expect(lookAt(deployment(2, 2), [], memory, NOW).state).not.toHaveProperty('problem');
  });
});

describe('a look at a fleet', () => {
  it('has no problem when no worker is asked for', () => {
    const late = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' };
    expect(lookAt(deployment(0, 0, [late]), [], NO_MEMORY, NOW).state).not.toHaveProperty('problem');
  });

  it('does not forget a crash with the pod that was taken away', () => {
    const crash = pod({ state: crashed('no handlers') }, { uid: 'gone' });
    const first = lookAt(deployment(3, 0), [crash], NO_MEMORY, NOW);
    const untried = pod({}, { uid: 'left' });
    const later = lookAt(deployment(1, 0), [untried], first.memory, NOW + 1_000);

    expect(later.state.problem).toEqual(first.state.problem);
    const ready = pod({ ready: true }, { uid: 'left' }, at(0));
    expect(lookAt(deployment(1, 1), [ready], later.memory, NOW + 9_000).state).not.toHaveProperty('problem');
    expect(lookAt(deployment(0, 0), [], later.memory, NOW).state).not.toHaveProperty('problem');
    expect(lookAt(deployment(1, 0), [], later.memory, NOW + 11 * 60_000).state).not.toHaveProperty('problem');
  });

  it('takes no comfort in workers that were ready when another one crashed', () => {
    const old = pod({ ready: true }, { uid: 'old' }, at(50));
    const crash = pod({ state: crashed('no handlers') }, { uid: 'new' });
    const { memory } = lookAt(deployment(2, 1), [old, crash], NO_MEMORY, NOW);

    expect(lookAt(deployment(2, 1), [old], memory, NOW).state.problem?.reason).toBe('CrashLoopBackOff');
  });

  it('takes comfort in a worker that became ready beside the crash, once the crash is gone', () => {
    const old = pod({ state: crashed('boom') }, { uid: 'old' });
    const mended = pod({ ready: true }, { uid: 'mended' }, at(1));
    const first = lookAt(deployment(1, 0), [old], NO_MEMORY, NOW);
    const beside = lookAt(deployment(1, 1), [old, mended], first.memory, NOW);
    expect(beside.state.problem?.reason).toBe('CrashLoopBackOff');
    expect(lookAt(deployment(1, 1), [mended], beside.memory, NOW).state).not.toHaveProperty('problem');
  });

  it('knows since when none is ready', () => {
    const first = lookAt(deployment(2, 0), [], NO_MEMORY, NOW);
    const later = lookAt(deployment(3, 0), [], first.memory, NOW + 5_000);
    expect(later.state.notReadySince).toBe(NOW);
    expect(lookAt(deployment(3, 1), [], later.memory, NOW + 6_000).state).not.toHaveProperty('notReadySince');
  });

  it('learns how long workers take to start, from each pod once', () => {
    const born = (uid: string, secondsAgo: number) =>
      pod({ started: false }, { uid, creationTimestamp: at(secondsAgo) });
    const ready = (uid: string, secondsAgo: number, readyAgo: number) =>
      pod({ ready: true, started: true }, { uid, creationTimestamp: at(secondsAgo) }, at(readyAgo));
    const first = lookAt(deployment(2, 0), [born('a', 60), born('b', 60)], NO_MEMORY, NOW);
    expect(first.state.startupSeconds).toEqual([]);
    const two = [ready('a', 60, 52), ready('b', 60, 52)];
    const second = lookAt(deployment(3, 2), [...two, born('c', 30)], first.memory, NOW);
    expect(second.state.startupSeconds).toEqual([8, 8]);
    const third = lookAt(deployment(3, 3), [...two, ready('c', 30, 26)], second.memory, NOW);
    expect(third.state.startupSeconds).toEqual([8, 8, 4]);
  });

  it('does not take a restart for a start', () => {
    const starting = lookAt(deployment(1, 0), [pod({ started: false })], NO_MEMORY, NOW);
    const restarted = pod({ ready: true, started: true, restartCount: 1 }, {}, at(1));
    expect(lookAt(deployment(1, 1), [restarted], starting.memory, NOW).state.startupSeconds).toEqual([]);
  });

  it('does not take the age of a pod for its start-up whose node was away for a while', () => {
    const old = { creationTimestamp: at(172_800) };
    const ready = pod({ ready: true, started: true }, old, at(1));
    expect(lookAt(deployment(1, 1), [ready], NO_MEMORY, NOW).state.startupSeconds).toEqual([]);
    const away = lookAt(deployment(1, 0), [pod({ ready: true, started: true }, old)], NO_MEMORY, NOW);
    expect(lookAt(deployment(1, 1), [ready], away.memory, NOW).state.startupSeconds).toEqual([]);
  });

  it('remembers eight start-ups, of however many pods', () => {
    const pods = (container: Partial<Status>, ready?: (i: number) => string) =>
      Array.from({ length: 50 }, (_, i) =>
        pod(container, { uid: `p${i}`, creationTimestamp: at(100) }, ready?.(i)),
      );
    const { memory } = lookAt(deployment(50, 0), pods({ started: false }), NO_MEMORY, NOW);
    const ready = pods({ ready: true, started: true }, (i) => at(100 - i));
    const first = lookAt(deployment(50, 50), ready, memory, NOW);
    expect(first.state.startupSeconds).toHaveLength(8);
    expect(lookAt(deployment(50, 50), ready, first.memory, NOW).memory.startupSeconds).toBe(
      first.memory.startupSeconds,
    );
  });
});
