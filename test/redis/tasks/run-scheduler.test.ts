import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { PeriodicTaskManager } from '../../../src/tasks/periodic-task-manager.ts';
import { runScheduler } from '../../../src/tasks/run-scheduler.ts';
import { Scheduler } from '../../../src/tasks/scheduler.ts';
import { Task } from '../../../src/tasks/task.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';
import { testRouter } from '../../support/router.ts';

const router = testRouter();

it('lets a scheduler work until the process is told to end, and leaves the process as it was', async () => {
  const scheduler = new Scheduler(router, { log: silentLogger });
  const source = new EventEmitter();
  const ran = runScheduler(scheduler, source);
  await settled();
  expect(scheduler.status).toBe('active');
  source.emit('SIGTERM');
  await ran;
  expect(scheduler.status).toBe('closed');
  expect(source.eventNames()).toEqual([]);
});

it('waits for no enqueue on its way when it is told twice', async () => {
  const clock = new FakeClock();
  const scheduler = new Scheduler(router, {
    clock,
    log: silentLogger,
    preEnqueue: () => new Promise(() => {}),
  });
  scheduler.register('@every 1s', new Task('t'));
  const source = new EventEmitter();
  const ran = runScheduler(scheduler, source);
  await clock.advance(1_000);
  source.emit('SIGINT');
  await settled();
  source.emit('SIGINT');
  await ran;
  // Left to itself it ends all the same.
  await clock.advance(60_000);
  await scheduler.shutdown();
  expect(source.eventNames()).toEqual([]);
});

it('does not run a manager that cannot start', async () => {
  const source = new EventEmitter();
  const provider = () => Promise.reject(new Error('no database'));
  const manager = new PeriodicTaskManager(router, { provider, log: silentLogger });
  await expect(runScheduler(manager, source)).rejects.toMatchObject({ code: 'ASYNQ_PERIODIC_TASKS_INVALID' });
  expect(source.eventNames()).toEqual([]);
});

it('ends when it is told to, though the provider never answers', async () => {
  const source = new EventEmitter();
  const asked: AbortSignal[] = [];
  const provider = (signal: AbortSignal) => {
    asked.push(signal);
    return new Promise<never>(() => {});
  };
  const ran = runScheduler(new PeriodicTaskManager(router, { provider, log: silentLogger }), source);
  await settled();
  source.emit('SIGTERM');
  await ran;
  expect(asked.map(({ aborted }) => aborted)).toEqual([true]);
  expect(source.eventNames()).toEqual([]);
});
