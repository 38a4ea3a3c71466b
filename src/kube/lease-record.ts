import type { Lease } from './resources.ts';

/** What a Lease says, as far as an election reads it. */
export interface LeaseRecord {
  /** '': nobody; a leader that left in order. */
  readonly holder: string;
  readonly durationMs: number;
  readonly transitions: number;
  /** The whole of what was written: the leader lives when it differs from what was there before. */
  readonly written: string;
  readonly resourceVersion: string;
}

/** A record and when we, by our own clock, first saw it as it is. */
export interface Observed extends LeaseRecord {
  /** Monotonic milliseconds. */
  readonly since: number;
}

export function readLease(lease: Lease, defaultDurationMs: number): LeaseRecord {
  const { spec, metadata } = lease;
  const seconds = spec?.leaseDurationSeconds ?? 0;
  return {
    holder: spec?.holderIdentity ?? '',
    durationMs: seconds > 0 ? seconds * 1000 : defaultDurationMs,
    transitions: spec?.leaseTransitions ?? 0,
    written: JSON.stringify(spec),
    resourceVersion: metadata.resourceVersion ?? '',
  };
}

/**
 * A record that did not change keeps its time. Whether a leader lives is judged by changes that we saw and by our clock
 * only: its own clock, which wrote `renewTime`, may be hours off.
 */
export function observe(before: Observed | undefined, record: LeaseRecord, now: number): Observed {
  return { ...record, since: before?.written === record.written ? before.since : now };
}

/** Milliseconds for which the lease is still somebody else's; 0: it may be taken. */
export function heldForMs(observed: Observed, identity: string, now: number): number {
  if (observed.holder === '' || observed.holder === identity) return 0;
  return Math.max(0, observed.since + observed.durationMs - now);
}
