import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startRedisCluster } from '../../lab/redis-cluster.ts';
import { until } from '../../support/until.ts';

const FROM_SOURCE = new URL('../../support/from-source.mjs', import.meta.url).href;

/** An example as its reader starts it. */
class Example implements AsyncDisposable {
  readonly ended: Promise<number | string>;
  readonly #process: ChildProcess;
  said = '';

  constructor(file: string, addrs: readonly string[]) {
    const path = fileURLToPath(new URL(`../../../examples/${file}`, import.meta.url));
    this.#process = spawn(process.execPath, ['--import', FROM_SOURCE, path], {
      env: { ASYNQ_REDIS_ADDRS: addrs.join(',') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const listen = (text: string) => {
      this.said += text;
    };
    this.#process.stdout?.setEncoding('utf8').on('data', listen);
    this.#process.stderr?.setEncoding('utf8').on('data', listen);
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => resolve(signal ?? code ?? 'gone'));
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}

// The queues of the tutorial have names that all clusters share: it gets one of its own.
test('the tutorial: its client fills three queues, its worker prints each task and ends on a signal', async () => {
  await using cluster = await startRedisCluster({ replicas: 0 });
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
