import type { DayFigures, GroupSize, QueueSight } from '../broker/queue-inspection.ts';

/** A queue as it stands (asynq `QueueInfo`). Counts are tasks. */
export interface QueueInfo {
  readonly queue: string;
  /** Estimated from a sample of each state; undefined where the server does not tell (MEMORY USAGE is forbidden). */
  readonly memoryUsageBytes: number | undefined;
  /** For how long the oldest pending task waits; 0 when there is none, undefined when no one wrote down since when. */
  readonly latencySeconds: number | undefined;
  /** Tasks in all states together. */
  readonly size: number;
  /** Number of groups. */
  readonly groups: number;
  readonly pending: number;
  readonly active: number;
  readonly scheduled: number;
  readonly retry: number;
  readonly archived: number;
  readonly completed: number;
  readonly aggregating: number;
  /** Attempts that ended today (UTC), failed ones too. */
  readonly processed: number;
  readonly failed: number;
  /** Attempts that ever ended, failed ones too. */
  readonly processedTotal: number;
  readonly failedTotal: number;
  readonly paused: boolean;
  readonly timestamp: Date;
}

export function queueInfo(queue: string, { at, ...sight }: QueueSight): QueueInfo {
  const { pending, active, scheduled, retry, archived, completed, aggregating } = sight;
  return {
    queue,
    size: pending + active + scheduled + retry + archived + completed + aggregating,
    ...sight,
    timestamp: new Date(at),
  };
}

/** What a queue did in one day (asynq `DailyStats`). */
export interface DailyStats {
  readonly queue: string;
  /** 00:00 UTC of the day. */
  readonly date: Date;
  readonly processed: number;
  readonly failed: number;
}

export function dailyStats(queue: string, { day, ...counts }: DayFigures): DailyStats {
  return { queue, date: new Date(day), ...counts };
}

/** Tasks that wait to be made one (asynq `GroupInfo`). */
export type GroupInfo = GroupSize;
