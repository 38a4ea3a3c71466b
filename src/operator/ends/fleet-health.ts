import type { Deployment, Pod } from '../../kube/resources.ts';
import { defined } from '../../runtime/defined.ts';
import type { FleetState } from '../ends.ts';
import { workerProblem } from './worker-problems.ts';

/** Start-ups that are remembered. */
const STARTUPS = 8;

/** What is remembered of one fleet from one look to the next. */
export interface FleetMemory {
  /** See `FleetState.startupSeconds`. */
  readonly startupSeconds: readonly number[];
  /** UIDs of the pods that are there and whose start-up is among those, or was. */
  readonly counted: ReadonlySet<string>;
  /** See `FleetState.notReadySince`. */
  readonly notReadySince: number | undefined;
}

export const NO_MEMORY: FleetMemory = { startupSeconds: [], counted: new Set(), notReadySince: undefined };

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
  return {
    state: defined({
      presence: 'ours' as const,
      replicas,
      readyReplicas,
      problem: replicas > 0 ? workerProblem(deployment, pods, now) : undefined,
      startupSeconds: startups.startupSeconds,
      notReadySince,
    }),
    memory: { ...startups, notReadySince },
  };
}

function countStartups(
  { startupSeconds: known, counted }: FleetMemory,
  pods: readonly Pod[],
): Pick<FleetMemory, 'startupSeconds' | 'counted'> {
  const present = new Set<string>();
  const news: number[] = [];
  for (const pod of pods) {
    const { uid = pod.metadata.name } = pod.metadata;
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
