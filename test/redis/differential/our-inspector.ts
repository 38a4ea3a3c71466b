import type { RedisRouter } from '../../../src/redis/router.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Inspector } from '../../../src/tasks/inspector.ts';
import type { TaskInfo } from '../../../src/tasks/task-info.ts';
import type { Inspection, Place } from './inspections.ts';
import { masked, statsView, type TaskView } from './side.ts';

/** What our inspector says and does. */
export class OurInspector {
  readonly #inspector: Inspector;
  readonly #queue: string;

  constructor(parts: { router: RedisRouter; clock: Clock; queue: string }) {
    const { router, clock, queue } = parts;
    this.#inspector = new Inspector(router, { clock, log: silentLogger });
    this.#queue = queue;
  }

  async take(operation: Inspection): Promise<unknown> {
    const [inspector, queue] = [this.#inspector, this.#queue];
    switch (operation.do) {
      case 'run':
        return inspector.runTask(queue, operation.id);
      case 'archive':
        return inspector.archiveTask(queue, operation.id);
      case 'delete':
        return inspector.deleteTask(queue, operation.id);
      case 'runAll':
      case 'archiveAll':
      case 'deleteAll':
        return this.#bulk(operation.do, operation.place, operation.group);
      case 'payload':
        return inspector.updateTaskPayload(queue, operation.id, Buffer.from(operation.payload));
      case 'pause':
        return inspector.pauseQueue(queue);
      case 'unpause':
        return inspector.unpauseQueue(queue);
      case 'stats':
        return this.#stats();
      case 'history': {
        const days = await inspector.history(queue, 3);
        return days.map(({ processed, failed, date }) => [date.getTime(), processed, failed]);
      }
      case 'groups':
        return (await inspector.groups(queue)).map((group) => [group.group, group.size]);
      case 'task':
        return this.#view(await inspector.getTaskInfo(queue, operation.id));
      case 'list': {
        const { place, group, pageSize, page } = operation;
        return (await this.#list(place, group, { pageSize, page })).map((task) => this.#view(task));
      }
      default:
        return operation satisfies never;
    }
  }

  #bulk(how: 'runAll' | 'archiveAll' | 'deleteAll', place: Place, group: string): Promise<number> {
    const [inspector, queue] = [this.#inspector, this.#queue];
    if (place === 'aggregating') return inspector[`${how}AggregatingTasks`](queue, group);
    const state = capitalised(place);
    const method = `${how}${state}Tasks` as 'deleteAllPendingTasks';
    return inspector[method](queue);
  }

  #list(place: Place, group: string, page: { pageSize: number; page: number }): Promise<TaskInfo[]> {
    const [inspector, queue] = [this.#inspector, this.#queue];
    if (place === 'aggregating') return inspector.listAggregatingTasks(queue, group, page);
    return inspector[`list${capitalised(place)}Tasks`](queue, page);
  }

  async #stats(): Promise<object> {
    const info = await this.#inspector.getQueueInfo(this.#queue);
    return statsView(info, info.pending, info.latencySeconds ?? 0);
  }

  #view({ id, type, state, payload, nextProcessAt, result, ...info }: TaskInfo): TaskView {
    if (type === 'asynq:unreadable') return 'lost';
    const { retried, lastErr, lastFailedAt, completedAt, group } = info;
    return {
      id,
      type,
      state,
      payload: masked(Buffer.from(payload.bytes).toString('latin1'), this.#queue),
      nextProcessAt: seconds(nextProcessAt),
      result: Buffer.from(result ?? []).toString('latin1'),
      retried,
      lastErr,
      lastFailedAt: seconds(lastFailedAt),
      completedAt: seconds(completedAt),
      group,
    };
  }
}

function seconds(date: Date | undefined): number {
  return Math.floor((date?.getTime() ?? 0) / 1000);
}

export function capitalised<T extends string>(text: T): Capitalize<T> {
  return (text.slice(0, 1).toUpperCase() + text.slice(1)) as Capitalize<T>;
}
