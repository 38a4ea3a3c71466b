import { IDLE_WORKERS, OPEN_LOOP_PER_SECOND, TASKS } from './cases.ts';
import { pickUpFloor } from './floor.ts';
import { idleCost } from './idle-workers.ts';
import { openLoop, pickUp, scheduled } from './latency.ts';
import type { OwnResults } from './statistics.ts';

/** Turns that pick-ups and their floor take, so that both meet the same load. */
const TURNS = 4;

/** Measures what is compared with goals, not with Go; `most` tasks of each. */
export async function measureOwn(
  addrs: readonly string[],
  queue: string,
  most: number,
  say: (line: string) => void,
): Promise<OwnResults> {
  const tasks = (name: keyof typeof TASKS) => Math.min(TASKS[name], most);
  say('pick-up when idle');
  const pickUps: number[] = [];
  const floors: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const part = Math.ceil(tasks('pickUp') / TURNS);
    pickUps.push(...(await pickUp(addrs, queue, part)));
    floors.push(...(await pickUpFloor(addrs, queue, part)));
  }
  say('scheduled');
  const late = await scheduled(addrs, queue, tasks('scheduled'));
  say(`open loop: ${OPEN_LOOP_PER_SECOND} tasks/s`);
  const open = await openLoop(addrs, queue, { tasks: tasks('openLoop'), perSecond: OPEN_LOOP_PER_SECOND });
  say(`idle workers: 1 and ${IDLE_WORKERS}`);
  const one = await idleCost(addrs, queue, { workers: 1, tasks: tasks('idleWorkers') });
  const many = await idleCost(addrs, queue, { workers: IDLE_WORKERS, tasks: tasks('idleWorkers') });
  return { pickUp: pickUps, pickUpFloor: floors, scheduled: late, openLoop: open, idle: { one, many } };
}
