/** The states of a task as its hash and its key names spell them (asynq `base.TaskState`). */
export const TASK_STATES = [
  'active',
  'pending',
  'scheduled',
  'retry',
  'archived',
  'completed',
  'aggregating',
] as const;

export type TaskState = (typeof TASK_STATES)[number];
