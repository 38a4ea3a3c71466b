import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '../../../src/runtime/logger.ts';
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

test('each grouped task becomes part of one aggregate, however often aggregators are killed', async () => {
  const names = Array.from({ length: 900 }, (_, n) => `${n % 30}:${n}`);
  const tasks = names.map((name) => new Task('part', { name }, { queue, group: name.split(':')[0] ?? '' }));
  const results = await client.enqueueMany(tasks);
  expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);

  let orphaned = 0;
  for (let killed = 1; killed <= 3; killed++) {
    await using worker = start();
    await until(async () => (await raw.zcard(key('scheduled'))) > killed * 60, { interval: 2 });
    worker.signal('SIGKILL');
    await worker.ended;
    const sets = await raw.zrange(key('aggregation_sets'), '0', '-1');
    orphaned += sets.length;
    // As if two minutes had passed.
    for (const set of sets) await raw.zadd(key('aggregation_sets'), 'XX', 1, set);
  }
  expect(orphaned).toBeGreaterThan(0);

  await using heir = start();
  await heir.ready;
  await until(async () => {
    expect((await namesMade()).toSorted()).toEqual(names.toSorted());
    return true;
  });
});
