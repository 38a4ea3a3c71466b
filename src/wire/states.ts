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

export function isTaskState(text: string): text is TaskState {
  return (TASK_STATES as readonly string[]).includes(text);
}
