import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Server } from '../../../src/server/server.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { decodeTaskMessage } from '../../../src/wire/task-message.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { WorkerProcess } from '../../support/worker-process.ts';

const raw = rawCluster();

/** What is made of tasks waits for an hour, so that it can be counted. */
const HANDLERS = `
import { Task } from 'asynq-operator';
export const aggregate = async (group, tasks) => {
  await new Promise((resolve) => setTimeout(resolve, 5 * Math.random()));
  return new Task('all', { names: tasks.map((task) => task.payload.getString('name')) }, { processInSeconds: 3600 });
};
export default () => {};
`;

let dir: string;
let client: Client;
const queue = uniqueQueue('aggregator-crash');
const key = (name: string) => `asynq:{${queue}}:${name}`;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'aggregator-'));
  await writeFile(join(dir, 'handlers.mjs'), HANDLERS);
  client = new Client(testCluster(), { log: silentLogger });
});
afterAll(async () => {
  await client.close();
  await rm(dir, { recursive: true });
});

function start(): WorkerProcess {
  const { addrs, password } = testCluster();
  return new WorkerProcess({
    redis: { mode: 'Cluster', addrs, db: 0, password },
    queues: { [queue]: 1 },
    concurrency: 5,
    handlers: join(dir, 'handlers.mjs'),
    shutdownTimeoutSeconds: 5,
    groups: { gracePeriodSeconds: 1, maxSize: 2, maxDelaySeconds: 0 },
  });
}

async function namesMade(): Promise<string[]> {
  const ids = await raw.zrange(key('scheduled'), '0', '-1');
  const messages = await Promise.all(ids.map((id) => raw.hgetBuffer(key(`t:${id}`), 'msg')));
  return messages.flatMap((msg) => {
    const { payload } = decodeTaskMessage(msg ?? Buffer.alloc(0));
    return (JSON.parse(Buffer.from(payload).toString()) as { names: string[] }).names;
  });
}

/** Lets the time of sets pass that are there for so long, milliseconds: aggregators that live take some milliseconds. */
function timeMachine(ms: number): () => Promise<void> {
  const seen = new Map<string, number>();
  return async () => {
    for (const set of await raw.zrange(key('aggregation_sets'), '0', '-1')) {
      const since = seen.get(set) ?? Date.now();
      seen.set(set, since);
      if (Date.now() - since >= ms) await raw.zadd(key('aggregation_sets'), 'XX', 1, set);
    }
  };
}

test('each grouped task becomes part of one aggregate, however often aggregators are killed', async () => {
  const names = Array.from({ length: 360 }, (_, n) => `${n % 30}:${n}`);
  const tasks = names.map((name) => new Task('part', { name }, { queue, group: name.split(':')[0] ?? '' }));
  const results = await client.enqueueMany(tasks);
  expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);

  let orphaned = 0;
  for (let killed = 1; killed <= 2; killed++) {
    await using worker = start();
    await until(async () => (await raw.zcard(key('scheduled'))) > killed * 40, { interval: 2 });
    worker.signal('SIGKILL');
    await worker.ended;
    orphaned += await raw.zcard(key('aggregation_sets'));
    await timeMachine(0)();
  }
  expect(orphaned).toBeGreaterThan(0);

  await using heir = new Server(testCluster(), {
    log: silentLogger,
    queues: { [queue]: 1 },
    groupMaxSize: 2,
    groupAggregator: (_, parts) =>
      new Task(
        'all',
        { names: parts.map(({ payload }) => payload.getString('name')) },
        { processInSeconds: 3_600 },
      ),
  });
  heir.start(() => {});
  // A claim may have been on its way when its server was killed.
  const letTimePass = timeMachine(2_000);
  await until(
    async () => {
      await letTimePass();
      return (await raw.exists(key('groups'), key('aggregation_sets'))) === 0;
    },
    { timeout: 60_000, interval: 100 },
  );
  expect((await namesMade()).toSorted()).toEqual(names.toSorted());
}, 90_000);
