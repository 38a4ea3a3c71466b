import type { Deployment, Pod } from '../../kube/resources.ts';

/** What keeps workers from becoming ready. */
export interface WorkerProblem {
  readonly reason: string;
  readonly message: string;
}

/** Why a container waits that will not get better by waiting; the words of the kubelet. */
const WAITING_FOR_NOTHING: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'CreateContainerConfigError',
  'CreateContainerError',
  'ErrImageNeverPull',
  'ErrImagePull',
  'ImageInspectError',
  'ImagePullBackOff',
  'InvalidImageName',
  'RunContainerError',
]);

/** A worker that crashed so often and became ready again is no healthy one yet. */
const CRASHES = 3;
/** As the kubelet: ten minutes without a crash, and it is forgotten. */
const FORGIVEN_AFTER_MS = 10 * 60_000;
const LONGEST_WORDS = 1_024;

type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];

/**
 * The first thing that stands in the way of these workers as their pods say it: an image that cannot be pulled, a crash
 * loop with the worker's last words. Pods that are going count for nothing.
 */
export function podProblem(pods: readonly Pod[], now: number): WorkerProblem | undefined {
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined) continue;
    const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
    for (const container of [...initContainerStatuses, ...containerStatuses]) {
      const problem = containerProblem(container, now);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function containerProblem(container: ContainerStatus, now: number): WorkerProblem | undefined {
  const waiting = container.state?.waiting;
  if (waiting?.reason !== undefined && WAITING_FOR_NOTHING.has(waiting.reason) && !isCrash(container)) {
    // The two take turns; the condition must not.
    const reason = waiting.reason === 'ErrImagePull' ? 'ImagePullBackOff' : waiting.reason;
    return { reason, message: cut(`${container.image}: ${waiting.message ?? waiting.reason}`) };
  }
  return isCrash(container) && isCrashing(container, now)
    ? { reason: 'CrashLoopBackOff', message: lastWords(container) }
    : undefined;
}

function isCrash({ state, lastState, restartCount }: ContainerStatus): boolean {
  return (
    state?.waiting?.reason === 'CrashLoopBackOff' ||
    (state?.terminated?.exitCode ?? 0) !== 0 ||
    (restartCount > 0 && lastState?.terminated !== undefined)
  );
}

/** Between two crashes a container runs for a while: it stays a crash loop until it is ready and keeps being it. */
function isCrashing({ state, lastState, ready, restartCount }: ContainerStatus, now: number): boolean {
  if (!ready && state?.terminated?.exitCode !== 0) return true;
  const crashedAt = Date.parse(lastState?.terminated?.finishedAt ?? '');
  return ready && restartCount >= CRASHES && now - crashedAt < FORGIVEN_AFTER_MS;
}

function lastWords({ name, state, lastState }: ContainerStatus): string {
  const end = state?.terminated ?? lastState?.terminated;
  const words = end?.message?.trim();
  const how = `container ${name} ended with exit code ${end?.exitCode ?? '?'}${end?.reason === undefined ? '' : ` (${end.reason})`}`;
  return cut(words === undefined || words === '' ? how : `${how}: ${words}`);
}

/** The end is where a program says why. */
function cut(text: string): string {
  return text.length <= LONGEST_WORDS ? text : `…${text.slice(-LONGEST_WORDS)}`;
}

/** What the Deployment itself says: pods that cannot be made, a rollout that does not end. */
export function deploymentProblem({ status }: Deployment): WorkerProblem | undefined {
  const { conditions = [] } = status ?? {};
  const failure = conditions.find((it) => it.type === 'ReplicaFailure' && it.status === 'True');
  const late = conditions.find((it) => it.type === 'Progressing' && it.status === 'False');
  const condition = failure ?? late;
  if (condition === undefined) return undefined;
  const { reason = condition.type, message = '' } = condition;
  return { reason, message: cut(message) };
}
