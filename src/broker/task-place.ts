import { checkText } from '../runtime/check-text.ts';
import type { QueueKeys } from '../wire/keys.ts';
import type { TaskState } from '../wire/states.ts';

/** Where tasks of one state lie: in one list or set, those that aggregate in one for each group. */
export type TaskPlace =
  | { readonly state: Exclude<TaskState, 'aggregating'> }
  | { readonly state: 'aggregating'; readonly group: string };

/** @throws ASYNQ_OPTION_INVALID */
export function placeKey(keys: QueueKeys, place: TaskPlace): string {
  if (place.state !== 'aggregating') return keys.inState(place.state);
  checkText('group', place.group);
  return keys.group(place.group);
}
