import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SchedulerEntries } from '../../../src/broker/scheduler-entries.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Scheduler } from '../../../src/tasks/scheduler.ts';
import type { SchedulerOptions } from '../../../src/tasks/scheduler-options.ts';
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
let queue: string;
let log: RecordingLogger;
let announced: SchedulerEntries;
const open: Scheduler[] = [];
beforeEach(() => {
  clock = new FakeClock(START);
  queue = uniqueQueue();
  log = new RecordingLogger();
  announced = new SchedulerEntries({ router, clock, log: silentLogger });
});
afterEach(() => Promise.all(open.splice(0).map((one) => one.shutdown())));

function scheduler(options: SchedulerOptions = {}, over: RedisRouter = router): Scheduler {
  const one = new Scheduler(over, { clock, log, ...options });
  open.push(one);
  return one;
}

const pending = async () => (await dumpQueue(redis, queue)).pending;
const enqueued = (count: number) =>
  until(async () => (await pending()).length === count, { what: `${count} tasks` });
const recorded = (id: string, count: number) =>
  until(async () => {
    const all = await announced.events(id, { pageSize: 10, page: 1 });
    return all.length === count && all;
  });
const entriesOf = async (...ids: string[]) => (await announced.list()).filter(({ id }) => ids.includes(id));

describe('a scheduler', () => {
  it('enqueues a task each time that its spec says, with its options', async () => {
    const one = scheduler();
    const task = new Task('report', { a: 1 }, { maxRetry: 3, headers: { trace: '1' } });
    const id = one.register('* * * * *', task, { queue, timeoutSeconds: 60 });
    one.start();
    await clock.advance(39_999);
    expect(await pending()).toEqual([]);
    await clock.advance(1);
    await enqueued(1);
    await recorded(id, 1);
    await clock.advance(MINUTE);
    await recorded(id, 2);
    await clock.advance(MINUTE);
    const events = await recorded(id, 3);
    const { tasks, pending: ids } = await dumpQueue(redis, queue);
    expect(tasks[ids[0] ?? '']).toMatchObject({
      message: { type: 'report', retry: 3, timeout: 60, headers: { trace: '1' } },
    });
    expect(events.map(({ enqueuedAt }) => (enqueuedAt - START) / 1000)).toEqual([160, 100, 40]);
    expect(events.map(({ taskId }) => taskId).toSorted()).toEqual(ids.toSorted());
  });

  it('reads specs in its zone', async () => {
    const one = scheduler({ location: 'Asia/Kolkata' });
    const id = one.register('30 0 * * *', new Task('t'), { queue });
    const utc = one.register('TZ=UTC 0 19 * * *', new Task('t'), { queue });
    one.start();
    const entries = await until(async () => {
      const found = await entriesOf(id, utc);
      return found.length === 2 && found;
    });
    expect(entries.map(({ next = 0 }) => new Date(next).toISOString().slice(11))).toEqual([
      '19:00:00.000Z',
      '19:00:00.000Z',
    ]);
  });

  it('takes entries in and out while it runs, and tells them at once', async () => {
    const one = scheduler();
    one.start();
    const id = one.register('@every 30s', new Task('t'), { queue });
    await until(async () => (await entriesOf(id)).length === 1);
    await clock.advance(30_000);
    await enqueued(1);
    await clock.advance(10_000);
    await until(async () => (await entriesOf(id))[0]?.prev === START + 30_000);
    one.unregister(id);
    await until(async () => (await entriesOf(id)).length === 0);
    await clock.advance(MINUTE);
    expect(await pending()).toHaveLength(1);
    expect(() => one.unregister(id)).toThrow(
      expect.objectContaining({
        code: 'ASYNQ_SCHEDULER_ENTRY_NOT_FOUND',
        message: 'asynq: no scheduler entry found',
      }),
    );
  });

  it('does not catch up what it slept over, but fires once', async () => {
    const one = scheduler();
    one.register('* * * * *', new Task('t'), { queue });
    one.start();
    await clock.advance(0);
    clock.block(10 * MINUTE);
    await clock.advance(0);
    await enqueued(1);
    await clock.advance(40_000);
    await enqueued(2);
    expect(await pending()).toHaveLength(2);
  });

  it('looks at the clock each ten seconds, as it may be set', async () => {
    const sleeps: number[] = [];
    const one = scheduler({
      clock: {
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        sleep: (ms, signal) => {
          sleeps.push(ms);
          return clock.sleep(ms, signal);
        },
      },
    });
    one.register('@yearly', new Task('t'), { queue });
    one.start();
    await clock.advance(30_000);
    expect(Math.max(...sleeps)).toBe(10_000);
  });

  it('enqueues nothing that fell due before it was started', async () => {
    const one = scheduler();
    one.register('* * * * *', new Task('t'), { queue });
    await clock.advance(5 * MINUTE);
    one.start();
    await clock.advance(30_000);
    expect(await pending()).toEqual([]);
    await clock.advance(10_000);
    await enqueued(1);
  });

  it('calls its hooks, and lives with what they throw', async () => {
    const calls: unknown[][] = [];
    const one = scheduler({
      preEnqueue: (task, options) => {
        calls.push(['pre', task.type, options]);
        throw new Error('of the hook');
      },
      postEnqueue: async (info, error) => {
        calls.push(['post', info?.state ?? AsynqError.is(error)]);
        throw new Error('of the hook');
      },
      onEnqueueError: (task, options, error) =>
        calls.push(['error', task.type, options, AsynqError.is(error) && error.code]),
    });
    one.register('@every 1m', new Task('t'), { queue, taskId: 'same' });
    one.start();
    await clock.advance(MINUTE);
    await until(() => calls.length === 2);
    await clock.advance(MINUTE);
    await until(() => calls.length === 5);
    const options = { queue, taskId: 'same' };
    expect(calls).toEqual([
      ['pre', 't', options],
      ['post', 'pending'],
      ['pre', 't', options],
      ['post', true],
      ['error', 't', options, 'ASYNQ_TASK_ID_CONFLICT'],
    ]);
    expect(log.entries.filter(({ level }) => level === 'error')).toHaveLength(5);
  });

  it('refuses what never could be enqueued, when it is registered', () => {
    const one = scheduler();
    const codeOf = (register: () => string) => {
      try {
        return register();
      } catch (error) {
        return AsynqError.is(error) && error.code;
      }
    };
    expect([
      codeOf(() => one.register('* * * *', new Task('t'))),
      codeOf(() => one.register('@daily', new Task(' '))),
      codeOf(() => one.register('@daily', new Task('t'), { queue: '' })),
      codeOf(() => one.register('@daily', new Task('t'), { uniqueSeconds: 0.5 })),
      codeOf(() => one.register('@daily', { type: 't' } as unknown as Task)),
    ]).toEqual([
      'ASYNQ_CRON_SPEC_INVALID',
      'ASYNQ_TASK_TYPE_BLANK',
      'ASYNQ_QUEUE_NAME_INVALID',
      'ASYNQ_UNIQUE_TTL_TOO_SHORT',
      'ASYNQ_OPTION_INVALID',
    ]);
    expect(() => scheduler({ location: 'Nowhere' })).toThrow("location: expected a time zone, got 'Nowhere'");
    expect(() => scheduler({ heartbeatInterval: 0 })).toThrow(
      'heartbeatInterval: expected milliseconds from 1',
    );
  });

  it('is started once, and for good closed', async () => {
    const one = scheduler();
    const id = one.register('@every 1m', new Task('t'), { queue });
    one.start();
    expect(() => one.start()).toThrow(expect.objectContaining({ code: 'ASYNQ_SCHEDULER_STATE' }));
    await clock.advance(MINUTE);
    await recorded(id, 1);
    await Promise.all([one.shutdown(), one.shutdown()]);
    expect(await entriesOf(id)).toEqual([]);
    expect(await announced.events(id, { pageSize: 1, page: 1 })).toEqual([]);
    expect(one.status).toBe('closed');
    expect(() => one.start()).toThrow(expect.objectContaining({ code: 'ASYNQ_CLOSED' }));
    expect(() => one.register('@daily', new Task('t'))).toThrow(
      expect.objectContaining({ code: 'ASYNQ_CLOSED' }),
    );
    await clock.advance(MINUTE);
    expect(await pending()).toHaveLength(1);
    await one.ping();
    await router.ping();
  });

  it('waits at its end for the enqueues on their way', async () => {
    const hook = Promise.withResolvers<void>();
    const one = scheduler({ preEnqueue: () => hook.promise });
    one.register('@every 1m', new Task('t'), { queue });
    one.start();
    await clock.advance(MINUTE);
    const end = one.shutdown();
    expect(await pending()).toEqual([]);
    hook.resolve();
    await end;
    expect(await pending()).toHaveLength(1);
  });

  it('reports what it cannot enqueue, goes on when Redis is back, and ends without it', async () => {
    let isAway = false;
    const away = () => Promise.reject(new AsynqError('ASYNQ_REDIS_UNREACHABLE'));
    const flaky: RedisRouter = Object.assign(Object.create(router), {
      run: (...call: Parameters<RedisRouter['run']>) => (isAway ? away() : router.run(...call)),
      command: (...call: Parameters<RedisRouter['command']>) => (isAway ? away() : router.command(...call)),
    });
    const errors: unknown[] = [];
    const one = scheduler({ onEnqueueError: (_task, _options, error) => errors.push(error) }, flaky);
    one.register('* * * * *', new Task('t'), { queue });
    one.start();
    isAway = true;
    await clock.advance(3 * MINUTE);
    expect(errors.map((error) => AsynqError.is(error) && error.code)).toEqual(
      Array(3).fill('ASYNQ_REDIS_UNREACHABLE'),
    );
    isAway = false;
    await clock.advance(MINUTE);
    await enqueued(1);
    isAway = true;
    await one.shutdown();
    expect(one.status).toBe('closed');
  });
});
