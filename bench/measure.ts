import { fileURLToPath } from 'node:url';
import { Client, openRedis, type RedisRouter, silentLogger, systemClock, Task } from '../src/index.ts';
import { run } from '../test/lab/run.ts';
import { GoPeer } from '../test/support/go-peer.ts';
import { type BenchCase, PAYLOAD_BYTES } from './cases.ts';
import type { Measurement } from './statistics.ts';

const OURS = fileURLToPath(new URL('ours.ts', import.meta.url));
const BATCH = 2_000;

/** Measures either side on one cluster; each measurement leaves the queue empty for the next. */
export class Bench implements AsyncDisposable {
  readonly #addrs: readonly string[];
  readonly #router: RedisRouter;
  readonly #client: Client;
  readonly #peer: GoPeer;

  private constructor(addrs: readonly string[], peer: GoPeer) {
    this.#addrs = addrs;
    this.#router = openRedis({ addrs }, { clock: systemClock, log: silentLogger });
    this.#client = new Client(this.#router);
    this.#peer = peer;
  }

  static async on(addrs: readonly string[]): Promise<Bench> {
    return new Bench(addrs, await GoPeer.on({ addrs, cluster: true }));
  }

  async measure(side: 'ours' | 'go', bench: BenchCase, queue: string): Promise<Measurement> {
    if (bench.mode === 'drain') await this.#fill(queue, bench.tasks);
    const before = await this.#redisSeconds(queue);
    const seconds = side === 'ours' ? await this.#ours(bench, queue) : await this.#go(bench, queue);
    const redisSeconds = (await this.#redisSeconds(queue)) - before;
    if (bench.mode === 'enqueue') await this.#clear(queue);
    return { tasksPerSecond: bench.tasks / seconds, redisMicros: (redisSeconds * 1e6) / bench.tasks };
  }

  async #fill(queue: string, tasks: number): Promise<void> {
    const payload = Buffer.alloc(PAYLOAD_BYTES, 'x');
    for (let done = 0; done < tasks; done += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, tasks - done) }, () => {
        return this.#client.enqueue(new Task('bench:noop', payload), { queue });
      });
      await Promise.all(batch);
    }
  }

  /** Deletes what pends in batches: one command for all would hold the master up. */
  async #clear(queue: string): Promise<void> {
    const pending = `asynq:{${queue}}:pending`;
    for (;;) {
      const ids = await this.#router.command(pending, 'RPOP', [pending, BATCH]);
      if (!Array.isArray(ids)) return;
      const tasks = ids.map((id) => `asynq:{${queue}}:t:${String(id)}`);
      await this.#router.command(pending, 'DEL', tasks);
    }
  }

  async #ours(bench: BenchCase, queue: string): Promise<number> {
    const output = await run(process.execPath, [OURS, JSON.stringify(bench), this.#addrs.join(','), queue]);
    return secondsOf(JSON.parse(output));
  }

  async #go({ mode, concurrency, tasks }: BenchCase, queue: string): Promise<number> {
    const flags = { queue, n: tasks, concurrency, payload: PAYLOAD_BYTES };
    const args = Object.entries(flags).map(([name, value]) => `-${name}=${value}`);
    const [result] = await this.#peer.run(['bench', mode, ...args]);
    return secondsOf(result);
  }

  /** CPU time that the queue's master has used since its start. */
  async #redisSeconds(queue: string): Promise<number> {
    const info = String(await this.#router.command(`asynq:{${queue}}:pending`, 'INFO', ['cpu']));
    const used = ['used_cpu_user', 'used_cpu_sys'].map((field) => {
      return Number(new RegExp(`^${field}:([0-9.]+)`, 'm').exec(info)?.[1]);
    });
    return used.reduce((sum, value) => sum + value, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
    await this.#router.close();
  }
}

function secondsOf(result: unknown): number {
  return (result as { readonly seconds: number }).seconds;
}
