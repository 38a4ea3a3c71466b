import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Client, Inspector, Task } from '../../../src/index.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import { until } from '../../support/until.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The words of the command that an example begins with: what its reader types, and the test runs. */
function commandOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const [, script = '', argument = ''] =
    /^\/\/ +ASYNQ_REDIS_ADDRS=\S+ npm run (\S+) (\S+)$/m.exec(text) ?? [];
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  return [...(scripts[script] ?? `no script ${script}`).split(' '), argument];
}

/** An example as its reader starts it: a group of processes, which a terminal sends its signals to. */
class Example implements AsyncDisposable {
  readonly ended: Promise<number | string>;
  readonly #process: ChildProcess;
  /** On stdout. */
  said = '';
  /** On stderr. */
  logged = '';

  constructor(file: string, addrs: readonly string[]) {
    const [program = '', ...words] = commandOf(`examples/${file}`);
    this.#process = spawn(program, words, {
      cwd: ROOT,
      env: {
        PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`,
        ASYNQ_REDIS_ADDRS: addrs.join(','),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.said += text;
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.logged += text;
    });
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => resolve(signal ?? code ?? 'gone'));
    });
  }

  signal(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#process;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}

// The queues of the examples have names that all clusters share: they get one of their own.
let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster({ replicas: 0 });
});
afterAll(() => cluster.stop());

test('groups: one digest is made of the events of each user', async () => {
  await using example = new Example('groups.ts', cluster.addrs);
  const digests = ['', 'Ana: follow, like, reply', 'Luis: follow, like, reply'];
  await until(() => {
    expect(
      example.said
        .split('\n')

        .toSorted(),
    ).toEqual(digests);
    return true;
  });
  example.signal('SIGINT');
  expect(await example.ended).toBe(0);
});

test('the tutorial: its client says what is wrong when there is no Redis', async () => {
  await using client = new Example('client.ts', ['127.0.0.1:1']);
  await until(() => client.logged.includes('WARN  no connection to Redis'), { timeout: 10_000 });
  expect(await client.ended).toBe(1);
  expect(client.logged).toMatch(
    /^error: ASYNQ_REDIS_UNREACHABLE: no connection to Redis at 127\.0\.0\.1:1: .*$/m,
  );
  expect(client.logged).not.toMatch(/^ +at /m);
});

test('the tutorial: its client fills three queues, its worker prints each task and ends on a signal', async () => {
  await using client = new Example('client.ts', cluster.addrs);
  expect([await client.ended, client.said]).toEqual([
    0,
    expect.stringMatching(/^(enqueued .* into .*\n){3}$/),
  ]);
  await using worker = new Example('worker.ts', cluster.addrs);
  await until(
    () => {
      expect(worker.said.split('\n').toSorted()).toEqual([
        '',
        'resizing alguna/ruta/a/imagen',
        'sending an email from 456 to 123',
        'syncing 123',
      ]);
      return true;
    },
    { timeout: 15_000 },
  );
  worker.signal('SIGINT');
  expect(await worker.ended).toBe(0);
});

test('inspector: what was given up runs again', async () => {
  await using client = new Client({ addrs: cluster.addrs });
  await using inspector = new Inspector({ addrs: cluster.addrs });
  const { id } = await client.enqueue(new Task('pago:cobrar'), { queue: 'pagos' });
  await inspector.archiveTask('pagos', id);
  await using example = new Example('inspector.ts', cluster.addrs);
  expect(await example.ended).toBe(0);
  expect(example.said).toContain('pagos: 0 pending, 1 archived\n  pago:cobrar: \n  1 run again\n');
  expect(await inspector.listPendingTasks('pagos')).toMatchObject([{ id }]);
});
