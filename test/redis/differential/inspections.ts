import * as fc from 'fast-check';
import { GROUPS, IDS } from './names.ts';

/* What an inspector does, as a part of sequences. */

export type Place = 'pending' | 'scheduled' | 'retry' | 'archived' | 'completed' | 'active' | 'aggregating';

export type Inspection =
  | { readonly do: 'run' | 'archive' | 'delete'; readonly id: string }
  | { readonly do: 'runAll' | 'archiveAll' | 'deleteAll'; readonly place: Place; readonly group: string }
  | { readonly do: 'payload'; readonly id: string; readonly payload: string }
  | { readonly do: 'pause' | 'unpause' | 'stats' | 'history' | 'groups' }
  | { readonly do: 'task'; readonly id: string }
  | {
      readonly do: 'list';
      readonly place: Place;
      readonly group: string;
      readonly pageSize: number;
      /** From 1. */
      readonly page: number;
    };

const id = fc.constantFrom(...IDS);
const group = fc.constantFrom(...GROUPS);

function all(how: 'runAll' | 'archiveAll' | 'deleteAll', ...places: Place[]): fc.Arbitrary<Inspection> {
  return fc.record({ do: fc.constant(how), place: fc.constantFrom(...places), group });
}

export const inspection: fc.Arbitrary<Inspection> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('run' as const, 'archive' as const, 'delete' as const), id }),
  },
  { weight: 1, arbitrary: all('runAll', 'scheduled', 'retry', 'archived', 'aggregating') },
  { weight: 1, arbitrary: all('archiveAll', 'pending', 'scheduled', 'retry', 'aggregating') },
  {
    weight: 1,
    arbitrary: all('deleteAll', 'pending', 'scheduled', 'retry', 'archived', 'completed', 'aggregating'),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('payload' as const), id, payload: fc.constantFrom('', 'other') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'pause' as const,
        'unpause' as const,
        'unpause' as const,
        'stats' as const,
        'history' as const,
        'groups' as const,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('task' as const), id }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('list' as const),
      place: fc.constantFrom<Place>(
        'pending',
        'scheduled',
        'retry',
        'archived',
        'completed',
        'active',
        'aggregating',
      ),
      group,
      pageSize: fc.constantFrom(1, 2, 30),
      page: fc.constantFrom(1, 1, 2),
    }),
  },
);

const NAMES = new Set([
  'run',
  'archive',
  'delete',
  'runAll',
  'archiveAll',
  'deleteAll',
  'payload',
  'pause',
  'unpause',
  'stats',
  'history',
  'groups',
  'task',
  'list',
]);

export function isInspection(operation: { readonly do: string }): operation is Inspection {
  return NAMES.has(operation.do);
}
