import { randomInt } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { GoPeer, type GoServer } from '../../support/go-peer.ts';
import { OurServer } from '../../support/our-server.ts';
import { dumpQueue, type QueueDump } from '../../support/queue-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

/*
 * Servers of Go and of ours on the same queues. Handlers fail at random, and one server of each kind loses its power in
 * the middle: each task ends once, as its outcome says, and the counters tell of just these attempts.
 *
 *   FLEET_TASKS=10000 FLEET_SEED=1 vitest run --project redis test/redis/fleet
 */

const TASKS = Number(process.env['FLEET_TASKS'] ?? 1_500);
const SEED = Number(process.env['FLEET_SEED'] ?? randomInt(2 ** 31));

const MS_A_TASK = 40;
const CONCURRENCY = 10;
const MAX_RETRY_OF_HOPELESS = 2;
/** Go leaves its tasks under a lease of half a minute. Ours is long enough that a busy machine loses none. */
const OUR_LEASE_MS = 10_000;

const redis = rawCluster();
const go = await GoPeer.on({ ...testCluster(), cluster: true });
const queues = ['notificaciones', 'webhooks', 'imágenes'].map((name) => uniqueQueue(name));
const priorities = Object.fromEntries(queues.map((queue, index) => [queue, index + 1]));

interface Drawn {
  readonly queue: string;
  readonly type: string;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  queue: fc.constantFrom(...queues),
  type: fc.oneof(
    { weight: 6, arbitrary: fc.constant('ok') },
    { weight: 3, arbitrary: fc.constantFrom('flaky:1', 'flaky:3') },
    { weight: 3, arbitrary: fc.constantFrom('fail', 'skip', 'revoke') },
  ),
});

/** Half of them with each client, with their number as id. */
async function enqueue(tasks: readonly Drawn[]): Promise<void> {
  const maxRetryOf = (type: string) => (type === 'fail' ? MAX_RETRY_OF_HOPELESS : 25);
  const specs = tasks.map(({ queue, type }, index) => ({
    queue,
    type,
    taskId: String(index),
    maxRetry: maxRetryOf(type),
  }));
  await using client = new Client(testCluster());
  const ours = specs.filter((_, index) => index % 2 === 0);
  const theirs = specs.filter((_, index) => index % 2 === 1);
  await Promise.all([
    ...ours.map(({ type, ...options }) =>
      client.enqueue(new Task(type), { ...options, retentionSeconds: 86_400 }),
    ),
    go.enqueue(theirs.map((spec) => ({ ...spec, retentionSeconds: 86_400 }))),
  ]);
}

const goServer = () =>
  go.serve({
    queues: priorities,
    concurrency: CONCURRENCY,
    takes: MS_A_TASK,
    retryDelay: 500,
    forwardEvery: 1_000,
  });

async function ourServer(): Promise<OurServer> {
  const server = new OurServer({
    queues: priorities,
    concurrency: CONCURRENCY,
    leaseDuration: OUR_LEASE_MS,
    takes: MS_A_TASK,
    retryDelay: 500,
  });
  await server.started;
  return server;
}

const attemptsOf = (server: GoServer | OurServer) =>
  typeof server.processed === 'number' ? server.processed : server.processed.length;

/** Ids that are still at work, when nothing else is left to do. */
async function leftovers(): Promise<string[] | undefined> {
  const left = await Promise.all(
    queues.map(async (queue) => {
      const keys = new QueueKeys(queue);
      const [pending, scheduled, retry] = await Promise.all([
        redis.llen(keys.pending),
        redis.zcard(keys.scheduled),
        redis.zcard(keys.retry),
      ]);
      return pending + scheduled + retry > 0 ? undefined : redis.lrange(keys.active, 0, -1);
    }),
  );
  return left.every((ids) => ids !== undefined) ? left.flat() : undefined;
}

/** Ends the leases of those who died long ago, as half a minute would. */
async function age(ids: readonly string[]): Promise<void> {
  const past = Math.floor(Date.now() / 1000) - 61;
  for (const queue of queues) {
    for (const id of ids) await redis.zadd(new QueueKeys(queue).lease, 'XX', past, id);
  }
}

/** How often an attempt at it may have failed. */
function expectedEnd(type: string, losses: number): { state: string | undefined; retried: [number, number] } {
  switch (type) {
    case 'fail':
      return { state: 'archived', retried: [MAX_RETRY_OF_HOPELESS, MAX_RETRY_OF_HOPELESS] };
    case 'skip':
      return { state: 'archived', retried: [0, losses] };
    case 'revoke':
      return { state: undefined, retried: [0, 0] };
    default: {
      const failures = Number(type.split(':')[1] ?? 0);
      return { state: 'completed', retried: [failures, failures + losses] };
    }
  }
}

it(`${TASKS} tasks end once each (FLEET_SEED=${SEED})`, { timeout: 120_000 + TASKS * 20 }, async () => {
  console.info(`fleet: ${TASKS} tasks, FLEET_SEED=${SEED}`);
  const tasks = fc.sample(drawn, { numRuns: TASKS, seed: SEED });
  await enqueue(tasks);
  await using servers = new AsyncDisposableStack();
  // Ours first: they take longer to start.
  const [oursDies, oursStays] = [servers.use(await ourServer()), servers.use(await ourServer())];
  const [goDies, goStays] = [servers.use(await goServer()), servers.use(await goServer())];
  const all: (GoServer | OurServer)[] = [goDies, goStays, oursDies, oursStays];
  const attempts = () => all.reduce((sum, server) => sum + attemptsOf(server), 0);
  const timeout = 60_000 + TASKS * 10;

  const lost = new Set<string>();
  for (const [share, server] of [
    [0.25, goDies],
    [0.5, oursDies],
  ] as const) {
    const isTime = () => attempts() > TASKS * share && server.running.size > 0;
    await until(isTime, { timeout, interval: 5, what: `${share} of the attempts` });
    await server.kill();
    for (const id of server.running) lost.add(id);
  }
  all.push(servers.use(await goServer()), servers.use(await ourServer()));

  // What the last word of the dead does not name waits for the end of its lease.
  await until(async () => (await leftovers())?.every((id) => lost.has(id)), {
    timeout,
    what: 'the end of the others',
  });
  await age([...lost]);
  await until(async () => (await leftovers())?.length === 0, { timeout, what: 'the end of the lost' });
  // Those that came for the dead may have come too late for anything.
  for (const server of [goDies, goStays, oursDies, oursStays]) {
    expect(attemptsOf(server)).toBeGreaterThan(0);
  }

  for (const queue of queues) await check(queue, tasks);
});

async function check(queue: string, tasks: readonly Drawn[]): Promise<void> {
  const ids = tasks.flatMap((task, index) => (task.queue === queue ? [String(index)] : []));
  const dump = await dumpQueue(redis, queue, ids);
  expect(dump).toMatchObject({ pending: [], active: [], lease: {}, scheduled: {}, retry: {}, groups: {} });
  const losses = 2;
  const wrong = ids.filter((id) => !endedAs(dump, id, expectedEnd(tasks[Number(id)]?.type ?? '', losses)));
  expect(wrong.map((id) => [id, tasks[Number(id)]?.type, dump.tasks[id]])).toEqual([]);

  const keys = new QueueKeys(queue);
  const processed = Number(await redis.get(keys.processed));
  const failed = Number(await redis.get(keys.failed));
  const revoked = ids.filter((id) => tasks[Number(id)]?.type === 'revoke').length;
  expect(processed - failed).toBe(Object.keys(dump.completed).length + revoked);
  const retried = ids.reduce((sum, id) => sum + (dump.tasks[id]?.message?.retried ?? 0), 0);
  const counted = retried + Object.keys(dump.archived).length;
  // An attempt at a revoked task may have been lost, and nothing but the counter still knows.
  expect(failed).toBeGreaterThanOrEqual(counted);
  expect(failed).toBeLessThanOrEqual(counted + 2 * CONCURRENCY);
}

function endedAs(
  dump: QueueDump,
  id: string,
  { state, retried: [least, most] }: ReturnType<typeof expectedEnd>,
): boolean {
  const task = dump.tasks[id];
  if (state === undefined) return task?.message === undefined && Object.keys(task ?? {}).length === 1;
  const retried = task?.message?.retried ?? -1;
  const inPlace = id in dump[state as 'archived' | 'completed'];
  return task?.['state'] === state && inPlace && least <= retried && retried <= most;
}
