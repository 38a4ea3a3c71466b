/** What is done to all tasks of a state, and to which states it can be done. */
export const BULK_STATES = {
  archive: ['pending', 'scheduled', 'retry', 'aggregating'],
  delete: ['pending', 'scheduled', 'retry', 'archived', 'completed', 'aggregating'],
  run: ['scheduled', 'retry', 'archived', 'aggregating'],
} as const;

export type BulkVerb = keyof typeof BULK_STATES;

/** As commander has parsed them. */
export interface BulkFlags {
  readonly queue: string;
  readonly state: string;
  readonly group?: string;
}
