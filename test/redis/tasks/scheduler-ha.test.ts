import { afterEach, beforeEach, expect, it } from 'vitest';
import { SchedulerEntries } from '../../../src/broker/scheduler-entries.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Scheduler } from '../../../src/tasks/scheduler.ts';
import { Task } from '../../../src/tasks/task.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { rawCluster, uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';
import { until } from '../../support/until.ts';

/* Several schedulers with the same entries. */

const redis = rawCluster();
const router = testRouter();
const MINUTE = 60_000;
/** At twenty seconds past a full minute. */
const START = Math.floor(Date.now() / MINUTE) * MINUTE + 20_000;

/** A scheduler on a machine of its own. */
interface Machine {
  readonly clock: FakeClock;
  readonly log: RecordingLogger;
  readonly scheduler: Scheduler;
  /** Fires that it tried to enqueue, and has had an answer for. */
  fired: number;
}

let queue: string;
let machines: Machine[];
beforeEach(() => {
  queue = uniqueQueue();
  machines = [machine(), machine(0), machine(500)];
});
afterEach(() => Promise.all(machines.map(({ scheduler }) => scheduler.shutdown())));

function machine(lateMs = 0): Machine {
  const clock = new FakeClock(START - lateMs);
  const log = new RecordingLogger();
  const made: Machine = {
    clock,
    log,
    scheduler: new Scheduler(router, { clock, log, highAvailability: true, preEnqueue: () => made.fired++ }),
    fired: 0,
  };
  return made;
}

/** All have the entry; their ids of it. */
function register(spec: string, task = new Task('t', { a: 1 })): string[] {
  return machines.map(({ scheduler }) => {
    const id = scheduler.register(spec, task, { queue });
    scheduler.start();
    return id;
  });
}

async function claims(id: string): Promise<string[]> {
  const masters = redis.nodes('master');
  return (
    await Promise.all(masters.map((node) => node.keys(`asynq-operator:{${queue}}:cron:${id}:*`)))
  ).flat();
}
const dump = () => dumpQueue(redis, queue);

it('enqueues each fire once, whoever comes first', async () => {
  const [id = '', ...others] = register('* * * * *');
  expect(others).toEqual([id, id]);
  for (let minute = 1; minute <= 4; minute++) {
    await Promise.all(machines.map(({ clock }) => clock.advance(MINUTE + 500)));
    await until(async () => (await dump()).pending.length === minute);
  }
  await Promise.all(machines.map(({ scheduler }) => scheduler.shutdown()));
  expect(machines.map(({ fired }) => fired)).toEqual([4, 4, 4]);
  expect((await dump()).pending).toHaveLength(4);
  const events = await new SchedulerEntries({
    router,
    clock: machines[0]?.clock ?? new FakeClock(),
    log: silentLogger,
  }).events(id, { pageSize: 10, page: 1 });
  expect(events.map(({ taskId }) => taskId).toSorted()).toEqual((await dump()).pending.toSorted());
  expect(machines.flatMap(({ log }) => log.entries).filter(({ level }) => level === 'error')).toEqual([]);
});

it('does not enqueue again what another had done long ago, and lets the claim expire', async () => {
  const [id = ''] = register('* * * * *');
  const [first, late] = machines;
  await first?.clock.advance(MINUTE);
  const [taskId = ''] = await until(async () => {
    const { pending } = await dump();
    return pending.length > 0 && pending;
  });
  // Done and forgotten before the next one comes.
  await redis.del(`asynq:{${queue}}:t:${taskId}`, `asynq:{${queue}}:pending`);
  late?.clock.block(20 * MINUTE);
  await late?.clock.advance(0);
  await late?.scheduler.shutdown();
  expect(late?.fired).toBe(1);
  expect((await dump()).pending).toEqual([]);
  const [claim = ''] = await claims(id);
  expect(await redis.ttl(claim)).toBeGreaterThan(3_500);
});

it('leaves out what it comes to so late that a claim may be over', async () => {
  register('* * * * *');
  const [late] = machines;
  late?.clock.block(40 * MINUTE);
  await late?.clock.advance(0);
  await until(() => late?.log.entries.some(({ level }) => level === 'warn'));
  await late?.scheduler.shutdown();
  expect((await dump()).pending).toEqual([]);
});

it('comes to the same times with @every, whenever each was started', async () => {
  await machines[1]?.clock.advance(17_000);
  const [id = ''] = register('@every 40s');
  await Promise.all(machines.map(({ clock }) => clock.advance(4 * MINUTE)));
  await Promise.all(machines.map(({ scheduler }) => scheduler.shutdown()));
  const seconds = (await claims(id)).map((key) => Number(key.slice(key.lastIndexOf(':') + 1)));
  expect(seconds.length).toBeGreaterThanOrEqual(6);
  expect(seconds.every((second) => second % 40 === 0)).toBe(true);
  expect((await dump()).pending).toHaveLength(seconds.length);
});

it('has an entry once, however often it is registered', async () => {
  const [{ scheduler, clock } = machine()] = machines;
  const [id] = register('* * * * *');
  expect(scheduler.register('* * * * *', new Task('t', { a: 1 }, { queue }))).toBe(id);
  await clock.advance(MINUTE);
  await until(async () => (await dump()).pending.length > 0);
  await scheduler.shutdown();
  expect(machines[0]?.fired).toBe(1);
});
