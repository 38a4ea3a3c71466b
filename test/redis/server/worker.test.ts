import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { WorkerEnv } from '../../../src/runtime/worker-env.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { WorkerProcess } from '../../support/worker-process.ts';

const raw = rawCluster();

/** Appends a line to a file per task; `hold` never ends, `stubborn` neither and does not even listen. */
const HANDLERS = `
import { appendFileSync } from 'node:fs';
import { ServeMux, Task } from 'asynq-operator';

const say = (word) => (task, { taskId }) => appendFileSync(process.env.SAID, word + ' ' + taskId + '\\n');
const held = (task, context) => {
  say('holding')(task, context);
  return new Promise((resolve, reject) => {
    const alive = setInterval(() => {}, 1000);
    if (task.type === 'hold') context.signal.addEventListener('abort', () => { clearInterval(alive); reject(context.signal.reason); });
  });
};
export const aggregate = (group, tasks) => new Task('say', null, { taskId: group + ':' + tasks.length });
export default new ServeMux()
  .handle('say', say('said'))
  .handle('slow', async (task, context) => {
    say('slow')(task, context);
    await new Promise((resolve) => setTimeout(resolve, 600));
    say('slowly')(task, context);
  })
  .handle('hold', held)
  .handle('stubborn', held)
  .handle('fail', () => { throw new Error('no route'); });
`;

/** Some module of one handler. */
const WITHOUT_AGGREGATOR = fileURLToPath(new URL('../../support/one-handler.mjs', import.meta.url));

describe('the worker runtime', () => {
  let dir: string;
  let client: Client;
  let queue: string;
  let said: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'worker-'));
    await writeFile(join(dir, 'handlers.mjs'), HANDLERS);
    client = new Client(testCluster());
  });
  beforeEach(() => {
    queue = uniqueQueue('worker');
    said = join(dir, queue);
  });
  afterAll(async () => {
    await client.close();
    await rm(dir, { recursive: true });
  });

  function start(changes: Partial<WorkerEnv> = {}, env: Record<string, string> = {}): WorkerProcess {
    const { addrs, password } = testCluster();
    const worker: WorkerEnv = {
      redis: { mode: 'Cluster', addrs, db: 0, password },
      queues: { [queue]: 1 },
      concurrency: 5,
      handlers: join(dir, 'handlers.mjs'),
      shutdownTimeoutSeconds: 5,
      ...changes,
    };
    return new WorkerProcess(worker, { SAID: said, ...env });
  }

  const enqueue = async (type: string) => (await client.enqueue(new Task(type), { queue })).id;
  const lines = () =>
    readFile(said, 'utf8').then(
      (text) => text.trim().split('\n'),
      (): string[] => [],
    );
  const untilSaid = (line: string) => until(async () => (await lines()).includes(line));
  const key = (name: string) => `asynq:{${queue}}:${name}`;
  const stateOf = (id: string) => raw.hget(key(`t:${id}`), 'state');

  test('runs the tasks of its queues with the handlers of the module, under the name of its pod', async () => {
    await using worker = start({ podName: queue });
    await worker.ready;
    const id = await enqueue('say');
    await untilSaid(`said ${id}`);
    await until(async () => {
      const servers = await raw.zrange('asynq:servers', '0', '-1');
      return servers.filter((name) => name.startsWith(`asynq:servers:{${queue}:${worker.pid}:`)).length === 1;
    });
    expect(worker.said.map((line) => (JSON.parse(line) as { msg: string }).msg)).toContain('server started');
  });

  test('says how it is, and counts what it does', async () => {
    await using worker = start();
    expect(await worker.get('/healthz')).toEqual({ status: 200, body: 'ok\n' });
    expect(await worker.get('/readyz')).toEqual({ status: 200, body: 'ok\n' });
    const ids = [await enqueue('say'), await enqueue('fail'), await enqueue('hold')];
    await untilSaid(`holding ${ids[2]}`);
    await until(async () => {
      const { body } = await worker.get('/metrics');
      expect(body).toContain(`asynq_worker_tasks_total{queue="${queue}",outcome="done"} 1`);
      expect(body).toContain(`asynq_worker_tasks_total{queue="${queue}",outcome="retry"} 1`);
      expect(body).toContain(`asynq_worker_task_duration_seconds_count{queue="${queue}"} 2`);
      expect(body).toContain(`asynq_worker_tasks_running{queue="${queue}"} 1`);
      return true;
    });
  });

  test('drains on SIGTERM: it takes nothing more, and what runs ends', async () => {
    await using worker = start();
    await worker.ready;
    const slow = await enqueue('slow');
    await untilSaid(`slow ${slow}`);
    worker.signal('SIGTERM');
    await until(async () => (await worker.get('/readyz')).status === 503);
    const later = await enqueue('say');
    expect(await worker.ended).toBe(0);
    expect(await lines()).toEqual([`slow ${slow}`, `slowly ${slow}`]);
    expect(await stateOf(slow)).toBeNull();
    expect(await stateOf(later)).toBe('pending');
  });

  test.each(['hold', 'stubborn'])(
    'gives a task of type %s back when the time for the drain is over',
    async (type) => {
      await using worker = start({ shutdownTimeoutSeconds: 1 });
      await worker.ready;
      const id = await enqueue(type);
      await untilSaid(`holding ${id}`);
      worker.signal('SIGTERM');
      expect(await worker.ended).toBe(0);
      expect(await stateOf(id)).toBe('pending');
      expect(await raw.zcard(key('lease'))).toBe(0);
    },
  );

  test('does not wait when a second signal comes', async () => {
    await using worker = start({ shutdownTimeoutSeconds: 3_600 });
    await worker.ready;
    const id = await enqueue('hold');
    await untilSaid(`holding ${id}`);
    worker.signal('SIGTERM');
    await until(async () => (await worker.get('/readyz')).status === 503);
    worker.signal('SIGINT');
    expect(await worker.ended).toBe(0);
    expect(await stateOf(id)).toBe('pending');
  });

  test('takes nothing more on SIGTSTP, lets what runs end, and stays until SIGTERM', async () => {
    await using worker = start();
    await worker.ready;
    const slow = await enqueue('slow');
    await untilSaid(`slow ${slow}`);
    worker.signal('SIGTSTP');
    await until(async () => (await worker.get('/readyz')).body.includes('stopped'));
    const later = await enqueue('say');
    await untilSaid(`slowly ${slow}`);
    await until(async () => (await stateOf(slow)) === null);
    expect((await worker.get('/healthz')).status).toBe(200);
    worker.signal('SIGTERM');
    expect(await worker.ended).toBe(0);
    expect(await stateOf(later)).toBe('pending');
  });

  test('makes one task of a group by the aggregator of the module', async () => {
    await using worker = start({ groups: { gracePeriodSeconds: 3_600, maxSize: 3, maxDelaySeconds: 0 } });
    await worker.ready;
    for (let n = 0; n < 3; n++) await client.enqueue(new Task('part'), { queue, group: 'parts' });
    await untilSaid('said parts:3');
    await until(async () => (await raw.exists(key('groups'), key('aggregation_sets'))) === 0);
  });

  test('can be stopped while its handlers module loads', async () => {
    const handlers = join(dir, 'endless.mjs');
    const loading = `appendFileSync(process.env.SAID, 'loading\\n'); await new Promise(() => setInterval(() => {}, 1000));`;
    await writeFile(
      handlers,
      `import { appendFileSync } from 'node:fs';\n${loading}\nexport default () => {};\n`,
    );
    await using worker = start({ handlers });
    await untilSaid('loading');
    worker.signal('SIGTERM');
    expect(await worker.ended).toBe(0);
    expect(worker.said.join()).toContain('the worker was stopped before it had started');
  });

  test('ends with the process that started it', async () => {
    await using worker = start();
    await worker.ready;
    worker.disconnect();
    expect(await worker.ended).toBe(0);
  });

  test('killed in the middle of a task, it loses nothing', async () => {
    const held: string[] = [];
    {
      await using worker = start({ concurrency: 3 });
      await worker.ready;
      for (let n = 0; n < 3; n++) held.push(await enqueue('hold'));
      const waiting = await enqueue('say');
      for (const id of held) await untilSaid(`holding ${id}`);
      worker.signal('SIGKILL');
      expect(await worker.ended).toBe('SIGKILL');
      expect(await Promise.all(held.map(stateOf))).toEqual(['active', 'active', 'active']);
      expect(await stateOf(waiting)).toBe('pending');
    }
    // As if a minute had passed.
    for (const id of held) await raw.zadd(key('lease'), 'XX', Math.floor(Date.now() / 1000) - 31, id);
    await using heir = start();
    await heir.ready;
    await until(async () => (await raw.zcard(key('retry'))) === 3);
    expect((await raw.zrange(key('retry'), '0', '-1')).toSorted()).toEqual(held.toSorted());
    await until(async () => (await raw.llen(key('pending'))) + (await raw.llen(key('active'))) === 0);
  });

  test.each([
    [
      'a module that is not there',
      { ASYNQ_HANDLERS: '/nowhere.mjs' },
      'ASYNQ_HANDLERS_MODULE',
      /^handlers module \/nowhere\.mjs: expected an ES module, got no such file$/,
    ],
    [
      'queues that are no JSON',
      { ASYNQ_QUEUES: 'default' },
      'ASYNQ_CONFIG_INVALID',
      /^ASYNQ_QUEUES: expected a JSON object .*, got "default"$/,
    ],
    [
      'groups for a module that cannot aggregate',
      { ASYNQ_GROUPS: '{}', ASYNQ_HANDLERS: WITHOUT_AGGREGATOR },
      'ASYNQ_HANDLERS_MODULE',
      /ASYNQ_GROUPS is set, expected an export aggregate, got none$/,
    ],
    [
      'a certificate that is not there',
      { ASYNQ_REDIS_TLS_CA_FILE: '/nowhere.pem' },
      'ASYNQ_CONFIG_INVALID',
      /^ASYNQ_REDIS_TLS_CA_FILE: expected the path of a PEM file, got \/nowhere\.pem/,
    ],
  ])('refuses to start with %s: exit code 1 and one line', async (_, env, code, message) => {
    await using worker = start({}, env);
    expect(await worker.ended).toBe(1);
    expect(worker.said).toHaveLength(1);
    const line = JSON.parse(worker.said[0] ?? '') as { level: string; code: string; msg: string };
    expect(line).toMatchObject({ level: 'error', code });
    expect(line.msg).toMatch(message);
  });
});
