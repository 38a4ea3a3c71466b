import type { QueueSnapshot } from '../../../src/broker/queue-reader.ts';
import type { AsynqQueue, AsynqQueueSpec, ScalingSpec } from '../../../src/operator/asynq-queue.ts';
import type { FleetState } from '../../../src/operator/ends.ts';

/** What tests do not care about. */
const QUIET: QueueSnapshot = {
  at: 0,
  keySlot: 2788,
  node: { id: 'a'.repeat(40), addr: '10.0.3.7:6379' },
  replicas: [{ id: 'b'.repeat(40), addr: '10.0.3.8:6379' }],
  paused: false,
  size: { pending: 0, active: 0, scheduled: 0, retry: 0, archived: 0, completed: 0, aggregating: 0 },
  groups: 0,
  latencySeconds: 0,
  clockSkew: false,
  due: 0,
  soon: 0,
  nextDue: undefined,
  orphaned: 0,
  ghosts: 0,
  readyGroups: 0,
  processed: 0,
  failed: 0,
};

export function snapshotOf(
  figures: Partial<Omit<QueueSnapshot, 'size'>> & { readonly size?: Partial<QueueSnapshot['size']> } = {},
): QueueSnapshot {
  return { ...QUIET, ...figures, size: { ...QUIET.size, ...figures.size } };
}

export function fleetOf(state: Partial<FleetState> = {}): FleetState {
  return { presence: 'ours', replicas: 0, readyReplicas: 0, startupSeconds: [], ...state };
}

function scalingOf(scaling: Partial<ScalingSpec> = {}): ScalingSpec {
  return {
    mode: 'Auto',
    minReplicas: 0,
    maxReplicas: 10,
    scaleToZeroAfterSeconds: 60,
    onUnknown: 'Hold',
    ...scaling,
  };
}

export function specOf(
  spec: Omit<Partial<AsynqQueueSpec>, 'scaling'> & { readonly scaling?: Partial<ScalingSpec> } = {},
): AsynqQueueSpec {
  const worker = { handlers: { path: 'handlers.mjs' }, concurrency: 10, drainTimeoutSeconds: 30 };
  return {
    ...(spec.workerRef === undefined ? { worker } : {}),
    redis: { mode: 'Cluster', addrs: ['redis:6379'] },
    ...spec,
    scaling: scalingOf(spec.scaling),
  };
}

export function queueOf(
  metadata: Partial<AsynqQueue['metadata']> = {},
  spec: Parameters<typeof specOf>[0] = {},
  status?: AsynqQueue['status'],
): AsynqQueue {
  const name = metadata.name ?? 'imagenes';
  return {
    metadata: {
      name,
      namespace: 'media',
      uid: `uid-${name}`,
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: specOf(spec),
    ...(status === undefined ? {} : { status }),
  };
}
