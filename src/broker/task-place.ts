import type { QueueKeys } from '../wire/keys.ts';
import type { TaskState } from '../wire/states.ts';

/** Where tasks of one state lie: in one list or set, those that aggregate in one for each group. */
export type TaskPlace =
  | { readonly state: Exclude<TaskState, 'aggregating'> }
  | { readonly state: 'aggregating'; readonly group: string };

export function placeKey(keys: QueueKeys, place: TaskPlace): string {
  return place.state === 'aggregating' ? keys.group(place.group) : keys.inState(place.state);
}
