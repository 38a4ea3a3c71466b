import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SchedulerEntries } from '../../../src/broker/scheduler-entries.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { binPath, runBin } from '../../support/bin.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';
import { until } from '../../support/until.ts';

const { addrs, password } = testCluster();
const ENV = { ASYNQ_REDIS_ADDRS: addrs.join(','), ASYNQ_REDIS_PASSWORD: password };
const redis = rawCluster();
const announced = new SchedulerEntries({ router: testRouter(), clock: systemClock, log: silentLogger });
const dir = await mkdtemp(join(tmpdir(), 'scheduler-'));
afterAll(() => rm(dir, { recursive: true }));

let queue: string;
let file: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  queue = uniqueQueue();
  file = join(dir, `${queue}.yaml`);
});
afterEach(async () => {
  for (const child of children.splice(0)) await end(child, 'SIGKILL');
});

/** The file with an entry of each type. */
const write = (spec: string, ...types: string[]) =>
  writeFile(file, JSON.stringify({ tasks: types.map((type) => ({ spec, type, queue })) }));

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  /** What it has said so far. */
  readonly said: () => string;
}

async function start(): Promise<Running> {
  const args = [binPath('asynq-operator'), 'scheduler', '-f', file, '--sync-interval', '100ms'];
  const child = spawn(process.execPath, [...args, '--host', '127.0.0.1', '--port', '0'], {
    env: { PATH: process.env['PATH'], ...ENV },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  children.push(child);
  const chunks: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  const gone = once(child, 'exit').then(() => Promise.reject(new Error(`it ended:\n${chunks.join('')}`)));
  const [ready] = (await Promise.race([once(child, 'message'), gone])) as [{ port: number }];
  gone.catch(() => {}); // its end is the test's to cause
  return { child, port: ready.port, said: () => chunks.join('') };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill(signal);
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

const types = async () => {
  const own = (await announced.list()).filter(({ options }) => options.includes(`Queue("${queue}")`));
  return own.map(({ taskType }) => taskType).toSorted();
};

/** Unix seconds for which a task was enqueued, and its id. */
async function fires(): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (const node of redis.nodes('master')) {
    for (const key of await node.keys(`asynq-operator:{${queue}}:cron:*`)) {
      found.set(Number(key.slice(key.lastIndexOf(':') + 1)), (await redis.get(key)) ?? '');
    }
  }
  return found;
}

describe('asynq-operator scheduler', () => {
  it('runs three times beside itself, loses one by kill -9, and enqueues each fire once', async () => {
    await write('@every 2s', 't');
    const running = await Promise.all([start(), start(), start()]);
    await until(async () => (await fires()).size >= 2, { interval: 200 });
    await end(running[0].child, 'SIGKILL');
    const before = (await fires()).size;
    await until(async () => (await fires()).size >= before + 2, { interval: 200 });
    const codes = await Promise.all(running.slice(1).map(({ child }) => end(child, 'SIGTERM')));
    expect(codes).toEqual([0, 0]);

    const all = await fires();
    const seconds = [...all.keys()].toSorted((a, b) => a - b);
    const [first = 0] = seconds;
    expect(seconds).toEqual(seconds.map((_, index) => first + 2 * index));
    expect((await dumpQueue(redis, queue)).pending.toSorted()).toEqual([...all.values()].toSorted());
  });

  it('follows its file, keeps to what it knows when the file is wrong, and takes its entries back', async () => {
    await write('@hourly', 'a', 'b');
    const { child, port, said } = await start();
    await until(async () => (await types()).join() === 'a,b');
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    await write('@hourly', 'b', 'c');
    await until(async () => (await types()).join() === 'b,c');
    await writeFile(file, 'tasks: 1');
    await until(() => said().includes('cannot take over the periodic tasks; the known ones go on'));
    expect(said()).toContain(`${file}:1:8: tasks: expected a list, got 1`);
    expect(await types()).toEqual(['b', 'c']);
    expect(await end(child, 'SIGTERM')).toBe(0);
    expect(await types()).toEqual([]);
    expect(said()).toContain('"msg":"scheduler closed"');
  });

  it('does not start with a file that is wrong, and says where', async () => {
    await write('* * *', 'a');
    const { code, stdout } = await runBin('asynq-operator', ['scheduler', '-f', file, '--port', '0'], {
      env: ENV,
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      level: 'error',
      code: 'ASYNQ_PERIODIC_TASKS_INVALID',
      msg: expect.stringContaining(`${file}:1:19: tasks[0].spec: expected exactly 5 fields`),
    });
  });

  it('refuses flags that cannot be', async () => {
    const run = async (...args: string[]) =>
      (await runBin('asynq-operator', ['scheduler', ...args], { env: ENV })).stderr;
    expect(await run()).toContain("required option '-f, --filename <path>' not specified");
    expect(await run('-f', file, '--sync-interval', '5')).toContain(
      'expected a duration such as 90s or 5m, got "5"',
    );
  });
});
