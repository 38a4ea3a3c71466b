import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SchedulerEntries } from '../../../src/broker/scheduler-entries.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import type { PeriodicTask } from '../../../src/tasks/periodic-task.ts';
import { PeriodicTaskManager, type PeriodicTaskProvider } from '../../../src/tasks/periodic-task-manager.ts';
import { Task } from '../../../src/tasks/task.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { rawCluster, uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';
import { until } from '../../support/until.ts';

const redis = rawCluster();
const router = testRouter();
const MINUTE = 60_000;
/** At twenty seconds past a full minute. */
const START = Math.floor(Date.now() / MINUTE) * MINUTE + 20_000;

let clock: FakeClock;
let log: RecordingLogger;
let queue: string;
let announced: SchedulerEntries;
/** What the provider brings. */
let list: PeriodicTask[] | Error;
const open: PeriodicTaskManager[] = [];
beforeEach(() => {
  clock = new FakeClock(START);
  log = new RecordingLogger();
  queue = uniqueQueue();
  announced = new SchedulerEntries({ router, clock, log: silentLogger });
  list = [];
});
afterEach(() => Promise.all(open.splice(0).map((one) => one.shutdown())));

const fromList: PeriodicTaskProvider = async () => {
  if (list instanceof Error) throw list;
  return list;
};

function manager(provider = fromList): PeriodicTaskManager {
  const heartbeatInterval = 60 * MINUTE;
  const one = new PeriodicTaskManager(router, {
    provider,
    syncInterval: MINUTE,
    heartbeatInterval,
    clock,
    log,
  });
  open.push(one);
  return one;
}

const periodic = (type: string, spec = '* * * * *'): PeriodicTask => ({
  spec,
  task: new Task(type, null, { queue }),
});

/** Entry id by type. */
async function entries(): Promise<Record<string, string>> {
  const own = (await announced.list()).filter(({ options }) => options.includes(`Queue("${queue}")`));
  return Object.fromEntries(own.map(({ id, taskType }) => [taskType, id]));
}

const types = async () => Object.keys(await entries()).toSorted();
const become = (...expected: string[]) =>
  until(async () => (await types()).join() === expected.join(), { what: `the entries ${expected.join()}` });
const messages = (level: string) =>
  log.entries.filter((entry) => entry.level === level).map(({ message }) => message);

describe('a periodic task manager', () => {
  it('follows its provider, and leaves alone what stays the same', async () => {
    list = [periodic('a'), periodic('b')];
    await manager().start();
    await become('a', 'b');
    const before = await entries();
    list = [periodic('c'), periodic('b')];
    await clock.advance(MINUTE);
    await become('b', 'c');
    expect((await entries())['b']).toBe(before['b']);
    await until(async () => (await dumpQueue(redis, queue)).pending.length === 2);
    const { tasks } = await dumpQueue(redis, queue);
    expect(new Set(Object.values(tasks).map((task) => task.message?.type))).toEqual(new Set(['a', 'b']));
  });

  it('makes a changed entry a new one', async () => {
    list = [periodic('a')];
    await manager().start();
    await become('a');
    const before = await entries();
    list = [periodic('a', '@hourly')];
    await clock.advance(MINUTE);
    const after = await until(async () => {
      const now = await entries();
      return now['a'] !== before['a'] && now;
    });
    expect((await announced.list()).find(({ id }) => id === after['a'])).toMatchObject({ spec: '@hourly' });
  });

  it('does not start when its provider fails, and can be started again', async () => {
    const one = manager();
    list = new Error('no database');
    await expect(one.start()).rejects.toMatchObject({
      code: 'ASYNQ_PERIODIC_TASKS_INVALID',
      message: 'the provider of periodic tasks failed: no database',
      cause: list,
    });
    list = [periodic('a'), periodic('b', '* * *')];
    await expect(one.start()).rejects.toMatchObject({
      code: 'ASYNQ_PERIODIC_TASKS_INVALID',
      message: 'periodic task 1 of the list: expected exactly 5 fields, found 3: [* * *]',
    });
    list = [periodic('b')];
    await one.start();
    await become('b');
    await expect(one.start()).rejects.toMatchObject({ code: 'ASYNQ_SCHEDULER_STATE' });
    await one.shutdown();
    await expect(one.start()).rejects.toMatchObject({ code: 'ASYNQ_CLOSED' });
  });

  it.each([
    ['fails', new Error('no database')],
    ['brings a task that cannot be', [{ spec: '@daily', task: new Task('') }]],
    ['brings what is no task', [{ spec: '@daily', task: { type: 't' } as unknown as Task }]],
    ['brings no list', 'a' as unknown as PeriodicTask[]],
    ['brings nothing in a list', [null as unknown as PeriodicTask]],
  ])('keeps what it knows when the provider later %s', async (_, later) => {
    list = [periodic('a')];
    await manager().start();
    list = later;
    await clock.advance(MINUTE);
    await until(() =>
      messages('error').includes('cannot take over the periodic tasks; the known ones go on'),
    );
    expect(await types()).toEqual(['a']);
    list = [periodic('b')];
    await clock.advance(MINUTE);
    await become('b');
  });

  it('counts once what is in the list twice, and lets it go for good', async () => {
    list = [periodic('a'), periodic('a'), { spec: '* * * * *', task: new Task('a'), options: { queue } }];
    await manager().start();
    expect(messages('warn')).toHaveLength(2);
    await clock.advance(MINUTE);
    await until(async () => (await dumpQueue(redis, queue)).pending.length > 0);
    list = [];
    await clock.advance(MINUTE);
    await become();
    await clock.advance(2 * MINUTE);
    // The fire of the minute in which it was taken out came before that.
    expect((await dumpQueue(redis, queue)).pending).toHaveLength(2);
  });

  it('does not wait at its end for a provider that hangs', async () => {
    let asked: AbortSignal | undefined;
    const one = manager((signal) => {
      asked = signal;
      return new Promise(() => {});
    });
    const started = one.start();
    started.catch(() => {});
    await Promise.all([one.shutdown(), one.shutdown()]);
    await expect(started).rejects.toMatchObject({ code: 'ASYNQ_CLOSED' });
    expect(asked?.aborted).toBe(true);
    await router.ping();
  });

  it('refuses options that cannot be', () => {
    const wrong = (options: object) => () =>
      new PeriodicTaskManager(router, { provider: fromList, ...options });
    expect(wrong({ provider: 'x' })).toThrow('provider: expected a function, got string');
    expect(wrong({ syncInterval: 0 })).toThrow('syncInterval: expected milliseconds from 1, got 0');
    expect(wrong({ location: 'Nowhere' })).toThrow(expect.objectContaining({ code: 'ASYNQ_CONFIG_INVALID' }));
  });
});
