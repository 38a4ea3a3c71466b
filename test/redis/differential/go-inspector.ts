import { decodeTaskMessage } from '../../../src/wire/task-message.ts';
import type { GoCall } from '../../support/go-broker.ts';
import type { Inspection, Place } from './inspections.ts';
import { capitalised } from './our-inspector.ts';
import { masked, statsView, type TaskView } from './side.ts';

type Call = (op: string, fields?: Partial<GoCall>) => Promise<unknown>;

/** What Go's inspector says and does. */
export async function inspectInGo(call: Call, queue: string, operation: Inspection): Promise<unknown> {
  switch (operation.do) {
    case 'run':
    case 'archive':
    case 'delete':
      return nothing(call(`${capitalised(operation.do)}Task`, { id: operation.id }));
    case 'runAll':
    case 'archiveAll':
    case 'deleteAll': {
      const { do: how, place, group } = operation;
      return call(`${capitalised(how)}${capitalised(place)}Tasks`, { group });
    }
    case 'payload': {
      const data = Buffer.from(operation.payload).toString('base64');
      return nothing(call('UpdateTaskPayload', { id: operation.id, data }));
    }
    case 'pause':
      return nothing(call('Pause'));
    case 'unpause':
      return nothing(call('Unpause'));
    case 'stats':
      return statsOf((await call('CurrentStats')) as Record<string, number>);
    case 'history': {
      const days = (await call('HistoricalStats', { size: 3 })) as {
        Time: string;
        Processed: number;
        Failed: number;
      }[];
      return days.map(({ Time, Processed, Failed }) => [
        Date.parse(`${Time.slice(0, 10)}Z`),
        Processed,
        Failed,
      ]);
    }
    case 'groups': {
      const groups = (await call('GroupStats')) as { Group: string; Size: number }[] | null;
      return (groups ?? [])
        .map(({ Group, Size }) => [Group, Size])
        .toSorted(([a], [b]) => ((a ?? '') < (b ?? '') ? -1 : 1));
    }
    case 'task':
      return viewOf((await call('GetTaskInfo', { id: operation.id })) as GoTaskInfo, queue);
    case 'list': {
      const { place, group, pageSize, page } = operation;
      const listed = await call(`List${capitalised(place)}`, { group, size: pageSize, page: page - 1 });
      return (listed as GoTaskInfo[]).map((info) => viewOf(info, queue));
    }
    default:
      return operation satisfies never;
  }
}

interface GoTaskInfo {
  readonly msg: string | null;
  readonly state: Place;
  readonly nextProcessAt: number;
  readonly result: string | null;
}

function viewOf({ msg, state, nextProcessAt, result }: GoTaskInfo, queue: string): TaskView {
  const message = decodeTaskMessage(new Uint8Array(Buffer.from(msg ?? '', 'base64')));
  const { id, type, payload, retried, errorMsg, lastFailedAt, completedAt, groupKey } = message;
  if (id === '') return 'lost';
  return {
    id,
    type,
    state,
    payload: masked(Buffer.from(payload).toString('latin1'), queue),
    nextProcessAt,
    result: Buffer.from(result ?? '', 'base64').toString('latin1'),
    retried,
    lastErr: errorMsg,
    lastFailedAt,
    completedAt,
    group: groupKey,
  };
}

function statsOf(stats: Record<string, number>): object {
  const figures = Object.entries(stats).map(([name, figure]) => [
    name.slice(0, 1).toLowerCase() + name.slice(1),
    figure,
  ]);
  return statsView(Object.fromEntries(figures), stats['Pending'] ?? 0, (stats['Latency'] ?? 0) / 1e9);
}

async function nothing(call: Promise<unknown>): Promise<undefined> {
  await call;
}
