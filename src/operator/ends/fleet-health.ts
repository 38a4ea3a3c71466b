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
  /** UIDs of the pods that are there and whose start-up is among those, or was. */
  readonly counted: ReadonlySet<string>;
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
  counted: new Set(),
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

function countStartups(
  { startupSeconds: known, counted }: FleetMemory,
  pods: readonly Pod[],
): Pick<FleetMemory, 'startupSeconds' | 'counted'> {
  const present = new Set<string>();
  const news: number[] = [];
  for (const pod of pods) {
    const uid = uidOf(pod);
    const seconds = counted.has(uid) ? undefined : startupSeconds(pod);
    if (seconds !== undefined) news.push(seconds);
    if (seconds !== undefined || counted.has(uid)) present.add(uid);
  }
  return {
    startupSeconds: news.length === 0 ? known : [...known, ...news].slice(-STARTUPS),
    counted: present,
  };
}

/** From the pod's birth to its first readiness; undefined: not ready, or not for the first time. */
function startupSeconds({ metadata, status }: Pod): number | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const restarts = (status?.containerStatuses ?? []).some(({ restartCount }) => restartCount > 0);
  if (ready?.status !== 'True' || restarts) return undefined;
  const seconds =
    (Date.parse(ready.lastTransitionTime ?? '') - Date.parse(metadata.creationTimestamp ?? '')) / 1000;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}
