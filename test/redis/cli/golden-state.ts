import { RedisBroker } from '../../../src/broker/redis-broker.ts';
import { SchedulerEntries } from '../../../src/broker/scheduler-entries.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Inspector } from '../../../src/tasks/inspector.ts';
import { Task } from '../../../src/tasks/task.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import type { FakeClock } from '../../support/fake-clock.ts';

/** When the tasks of the golden state failed, and when its CLI was run. */
export const FAILED_AT: number = Date.parse('2026-11-24T17:58:15Z');
export const LOOKED_AT: number = Date.parse('2026-11-24T17:58:22.600Z');

const DAY_SECONDS = 24 * 3600;
const TTL_SECONDS = 3600;

/**
 * Makes the state of test/vectors/cli-golden in an empty Redis, at the times that its output tells; the clock stands at
 * `LOOKED_AT` then.
 */
export async function makeGoldenState(router: RedisRouter, clock: FakeClock): Promise<void> {
  const parts = { router, clock, log: silentLogger };
  const broker = new RedisBroker(parts);
  const client = new Client(router, { clock });
  const inspector = new Inspector(router, { clock });
  const enqueue = (queue: string, taskId: string, type: string, payload: unknown, options = {}) =>
    client.enqueue(new Task(type, payload as object), { queue, taskId, ...options });
  const lease = async () => {
    const [task] = (await broker.dequeue('default', 1)).tasks;
    if (task === undefined) throw new Error('expected a task in default');
    return task;
  };

  await enqueue('default', 'c1', 'report:build', { report: 7 }, { retentionSeconds: DAY_SECONDS });
  await broker.writeResult('default', 'c1', Buffer.from('42 rows'));
  await broker.settle(await lease(), { kind: 'done' });
  const error = 'connection refused';
  await enqueue('default', 'r1', 'webhook:sync', { data: 123 }, { maxRetry: 5 });
  const at = FAILED_AT + 2 * DAY_SECONDS * 1000;
  await broker.settle(await lease(), { kind: 'retry', at, error, isFailure: true });
  await enqueue('default', 'a1', 'webhook:sync', { data: 124 }, { maxRetry: 0 });
  await broker.settle(await lease(), { kind: 'archive', error });
  await keepCounters(router);

  await clock.advance(3_000);
  for (const n of [1, 2, 3]) await enqueue('low', `p${n}`, 'email:welcome', { user_id: n });
  await enqueue('low', 'b1', 'bin:task', Uint8Array.of(0x00, 0x01, 0xff));
  await enqueue('low', 's1', 'email:reminder', { user_id: 1 }, { processInSeconds: DAY_SECONDS });
  for (const n of [1, 2]) await enqueue('low', `g${n}`, 'email:digest', { n }, { group: 'tenant:1' });
  await enqueue('imágenes', 'i1', 'imágenes:resize', { src: 'alguna/ruta/a/imagen' });
  await enqueue('imágenes', 'i2', 'imágenes:resize', { src: 'otra' });
  await inspector.pauseQueue('imágenes');
  await enqueue('critical', 'gone', 'email:welcome', { user_id: 4 });
  await inspector.deleteTask('critical', 'gone');

  await clock.advance(LOOKED_AT - clock.now());
  const server = {
    host: 'vm',
    pid: 27_595,
    serverId: 's',
    concurrency: 2,
    queues: { default: 3, critical: 6 },
  };
  const state = {
    strictPriority: false,
    status: 'active',
    startedAt: LOOKED_AT - 7_000,
    workers: [],
  } as const;
  await broker.writeServerState({ ...server, ...state }, TTL_SECONDS);
  const schedulers = new SchedulerEntries(parts);
  await schedulers.write('vm:27595:s', ENTRIES, TTL_SECONDS);
  for (const [taskId, ago] of [
    ['h1', 7_200_000],
    ['h2', 3_600_500],
  ] as const) {
    await schedulers.recordEvent(HOURLY, { taskId, enqueuedAt: LOOKED_AT - ago });
  }
}

/** They live for 90 days of a Redis whose clock is not ours. */
async function keepCounters(router: RedisRouter): Promise<void> {
  const keys = new QueueKeys('default');
  for (const [key, count] of [
    [keys.processedOn(FAILED_AT), 3],
    [keys.failedOn(FAILED_AT), 2],
  ] as const) {
    await router.command(key, 'SET', [key, count]);
  }
}

/** The id of the entry that has a history. */
export const HOURLY = '22eed907-82c0-47ab-8128-b179fc801353';

const ENTRIES = [
  {
    id: HOURLY,
    spec: '@every 1h',
    taskType: 'report:build',
    taskPayload: Buffer.from('{"report":1}'),
    options: ['Queue("critical")', 'MaxRetry(1)'],
    next: LOOKED_AT + 3_595_000,
    prev: undefined,
  },
  {
    id: '3beed94e-e3a8-469e-90ad-007938eabb89',
    spec: 'CRON_TZ=Europe/Madrid 30 4 * * 1',
    taskType: 'report:weekly',
    taskPayload: new Uint8Array(0),
    options: [],
    next: Date.parse('2026-11-30T04:30:00+01:00'),
    prev: undefined,
  },
];
