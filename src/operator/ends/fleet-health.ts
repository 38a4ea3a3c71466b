import type { Deployment, Pod } from '../../kube/resources.ts';
import { defined } from '../../runtime/defined.ts';
import type { FleetState } from '../ends.ts';
import { deploymentProblem, podProblem, type WorkerProblem } from './worker-problems.ts';

/** Start-ups that are remembered. */
const STARTUPS = 8;
/** A problem that was not seen for so long is worth another try, as for the kubelet. */
const PROBLEM_MS = 10 * 60_000;

/** What is remembered of one fleet from one look to the next. */
export interface FleetMemory {
  /** See `FleetState.startupSeconds`. */
  readonly startupSeconds: readonly number[];
  /** UIDs of the pods that were seen to start and were not ready yet. */
  readonly starting: ReadonlySet<string>;
  /** See `FleetState.notReadySince`. */
  readonly notReadySince: number | undefined;
  /** What went wrong last, and may again. */
  readonly problem: RememberedProblem | undefined;
}

interface RememberedProblem {
  readonly problem: WorkerProblem;
  /** When it was last seen, Unix milliseconds. */
  readonly seenAt: number;
  /** UIDs of the pods that were ready when it was first seen: their readiness proves nothing. */
  readonly readyBeside: ReadonlySet<string>;
}

export const NO_MEMORY: FleetMemory = {
  startupSeconds: [],
  starting: new Set(),
  notReadySince: undefined,
  problem: undefined,
};

/** What a Deployment and its pods say, and what to remember of it. Pure. */
export function lookAt(
  deployment: Deployment,
  pods: readonly Pod[],
  memory: FleetMemory,
  now: number,
): { readonly state: FleetState; readonly memory: FleetMemory } {
  const replicas = deployment.spec?.replicas ?? 1;
  const readyReplicas = deployment.status?.readyReplicas ?? 0;
  const startups = countStartups(memory, pods);
  const notReadySince = replicas > 0 && readyReplicas === 0 ? (memory.notReadySince ?? now) : undefined;
  const problem = replicas > 0 ? lastingProblem(pods, memory.problem, now) : undefined;
  const ofDeployment = replicas > 0 ? deploymentProblem(deployment) : undefined;
  return {
    state: defined({
      presence: 'ours' as const,
      replicas,
      readyReplicas,
      problem: problem?.problem ?? ofDeployment,
      startupSeconds: startups.startupSeconds,
      notReadySince,
    }),
    memory: { ...startups, notReadySince, problem },
  };
}

/**
 * The problem that is seen on a pod, else the one that was: the pod that crashed may be the one that was taken away, and the next
 * one has not come so far. It is over when another worker has become ready.
 */
function lastingProblem(
  pods: readonly Pod[],
  known: RememberedProblem | undefined,
  now: number,
): RememberedProblem | undefined {
  const ready = pods.filter(isReady).map(uidOf);
  const remembered = known !== undefined && now - known.seenAt <= PROBLEM_MS ? known : undefined;
  const seen = podProblem(pods, now);
  if (seen !== undefined) {
    return { problem: seen, seenAt: now, readyBeside: remembered?.readyBeside ?? new Set(ready) };
  }
  return remembered && ready.every((uid) => remembered.readyBeside.has(uid)) ? remembered : undefined;
}

function isReady({ status }: Pod): boolean {
  return (status?.conditions ?? []).some(({ type, status: value }) => type === 'Ready' && value === 'True');
}

function uidOf({ metadata }: Pod): string {
  return metadata.uid ?? metadata.name;
}

/**
 * Only of pods that were seen before they were ready: of any other it is not known whether its last readiness is its first. A
 * node that was away for a while makes all its pods ready anew, without a restart.
 */
function countStartups(
  { startupSeconds: known, starting }: FleetMemory,
  pods: readonly Pod[],
): Pick<FleetMemory, 'startupSeconds' | 'starting'> {
  const started = pods.filter((pod) => isReady(pod) && starting.has(uidOf(pod)));
  const news = started.map(startupSeconds).filter((seconds) => seconds !== undefined);
  const waiting = pods.filter((pod) => !isReady(pod) && (starting.has(uidOf(pod)) || isStarting(pod)));
  return {
    startupSeconds: news.length === 0 ? known : [...known, ...news].slice(-STARTUPS),
    starting: new Set(waiting.map(uidOf)),
  };
}

/** A pod that lost its readiness has containers that have started. */
function isStarting({ status }: Pod): boolean {
  const containers = status?.containerStatuses ?? [];
  return containers.length === 0 || containers.some(({ started }) => started !== true);
}

/** From the birth of a ready pod to its readiness; undefined: that came after a restart. */
function startupSeconds({ metadata, status }: Pod): number | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if ((status?.containerStatuses ?? []).some(({ restartCount }) => restartCount > 0)) return undefined;
  const seconds =
    (Date.parse(ready?.lastTransitionTime ?? '') - Date.parse(metadata.creationTimestamp ?? '')) / 1000;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}
