import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { type StandaloneRedis, startRedis } from '../../lab/redis-server.ts';
import { until } from '../../support/until.ts';
import { WorkerProcess } from '../../support/worker-process.ts';

const HANDLERS = `
import { appendFileSync } from 'node:fs';
export default async (task, { taskId }) => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  appendFileSync(process.env.SAID, taskId + '\\n');
};
`;

/** CPU that a process has used, milliseconds. */
async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [utime = 0, stime = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (utime + stime) * 10;
}

describe('a worker whose Redis goes away and comes back', () => {
  let dir: string;
  let redis: StandaloneRedis;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'outage-'));
    await writeFile(join(dir, 'handlers.mjs'), HANDLERS);
    // What Redis said it has, it still has after a crash.
    redis = await startRedis({ config: { appendonly: 'yes', appendfsync: 'always' } });
  });
  afterAll(async () => {
    await redis.stop();
    await rm(dir, { recursive: true });
  });

  function start(queue: string): WorkerProcess {
    return new WorkerProcess(
      {
        redis: { mode: 'Standalone', addrs: [redis.addr], db: 0 },
        queues: { [queue]: 1 },
        concurrency: 10,
        handlers: join(dir, 'handlers.mjs'),
        shutdownTimeoutSeconds: 5,
      },
      { SAID: join(dir, queue) },
    );
  }

  const doneIn = (queue: string) =>
    readFile(join(dir, queue), 'utf8').then(
      (text) => text.trim().split('\n'),
      (): string[] => [],
    );

  test('loses no task, and spends next to nothing while it waits', async () => {
    const queue = 'restart';
    const client = new Client({ addr: redis.addr }, { log: silentLogger });
    const tasks = Array.from({ length: 2_000 }, () => new Task('work', null, { queue }));
    const ids = (await client.enqueueMany(tasks)).map(
      (result) => result.status === 'fulfilled' && result.value.id,
    );
    await client.close();
    await using worker = start(queue);
    await until(async () => (await doneIn(queue)).length > 200);

    await redis.server.kill();
    const [done, cpu] = [(await doneIn(queue)).length, await cpuOf(worker.pid)];
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect((await cpuOf(worker.pid)) - cpu).toBeLessThan(400);
    expect((await doneIn(queue)).length - done).toBeLessThanOrEqual(10);
    await redis.server.start();

    const raw = new Redis(`redis://${redis.addr}`, { protocol: 2 });
    try {
      await until(async () => {
        expect(await raw.llen(`asynq:{${queue}}:pending`)).toBe(0);
        expect((await worker.get('/metrics')).body).toContain(
          `asynq_worker_tasks_running{queue="${queue}"} 0`,
        );
        return true;
      });
      // What was leased by a reply that the crash swallowed keeps its lease, until a recoverer comes.
      const swallowed = await raw.zrange(`asynq:{${queue}}:lease`, '0', '-1');
      expect(swallowed.length).toBeLessThanOrEqual(10);
      const accounted = new Set([...(await doneIn(queue)), ...swallowed]);
      expect(ids.filter((id) => id === false || !accounted.has(id))).toEqual([]);
    } finally {
      raw.disconnect();
    }
  });

  test('is ready without Redis, and works when Redis comes', async () => {
    const queue = 'late';
    await redis.server.kill();
    await using worker = start(queue);
    expect((await worker.get('/readyz')).status).toBe(200);
    expect((await worker.get('/healthz')).status).toBe(200);
    await redis.server.start();
    const client = new Client({ addr: redis.addr }, { log: silentLogger });
    const { id } = await client.enqueue(new Task('work', null, { queue }));
    await client.close();
    await until(async () => (await doneIn(queue)).includes(id));
  });

  test('ends in time although Redis is away', async () => {
    await using worker = start('ending');
    await worker.ready;
    await redis.server.kill();
    const asked = performance.now();
    worker.signal('SIGTERM');
    expect(await worker.ended).toBe(0);
    expect(performance.now() - asked).toBeLessThan(8_000);
    await redis.server.start();
  });
});
