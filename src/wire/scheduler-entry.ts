import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { decoding, encoding } from './codec.ts';
import { SchedulerEnqueueEventSchema, SchedulerEntrySchema } from './gen/asynq_pb.ts';
import { milliseconds, timestamp } from './timestamp.ts';

/** A task that a scheduler enqueues again and again (asynq `base.SchedulerEntry`). Times are Unix milliseconds. */
export interface SchedulerEntryRecord {
  readonly id: string;
  /** The cron spec. */
  readonly spec: string;
  readonly taskType: string;
  readonly taskPayload: Uint8Array;
  /** The options of its enqueues as Go prints them, e.g. `Queue("mail")`. */
  readonly options: readonly string[];
  /** Undefined when it fires never again. */
  readonly next: number | undefined;
  /** Undefined when it has not fired yet. */
  readonly prev: number | undefined;
}

/** That a scheduler enqueued a task for an entry (asynq `base.SchedulerEnqueueEvent`). */
export interface SchedulerEventRecord {
  readonly taskId: string;
  /** Unix milliseconds. */
  readonly enqueuedAt: number;
}

export function encodeSchedulerEntry({ options, next, prev, ...entry }: SchedulerEntryRecord): Uint8Array {
  return encoding('a scheduler entry', () => {
    const times = { nextEnqueueTime: timestamp(next), prevEnqueueTime: timestamp(prev) };
    const fields = { ...entry, enqueueOptions: [...options], ...times };
    return toBinary(SchedulerEntrySchema, create(SchedulerEntrySchema, fields));
  });
}

/** @throws ASYNQ_MESSAGE_UNREADABLE */
export function decodeSchedulerEntry(bytes: Uint8Array): SchedulerEntryRecord {
  const entry = decoding('a scheduler entry', bytes, () => fromBinary(SchedulerEntrySchema, bytes));
  return {
    id: entry.id,
    spec: entry.spec,
    taskType: entry.taskType,
    taskPayload: entry.taskPayload,
    options: entry.enqueueOptions,
    next: milliseconds(entry.nextEnqueueTime),
    prev: milliseconds(entry.prevEnqueueTime),
  };
}

export function encodeSchedulerEvent({ taskId, enqueuedAt }: SchedulerEventRecord): Uint8Array {
  return encoding('an enqueue event', () => {
    const event = create(SchedulerEnqueueEventSchema, { taskId, enqueueTime: timestamp(enqueuedAt) });
    return toBinary(SchedulerEnqueueEventSchema, event);
  });
}

/** @throws ASYNQ_MESSAGE_UNREADABLE */
export function decodeSchedulerEvent(bytes: Uint8Array): SchedulerEventRecord {
  const event = decoding('an enqueue event', bytes, () => fromBinary(SchedulerEnqueueEventSchema, bytes));
  return { taskId: event.taskId, enqueuedAt: milliseconds(event.enqueueTime) ?? 0 };
}
