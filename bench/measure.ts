import { fileURLToPath } from 'node:url';
import { Client, openRedis, type RedisRouter, silentLogger, systemClock, Task } from '../src/index.ts';
import { run } from '../test/lab/run.ts';
import { GoPeer } from '../test/support/go-peer.ts';
import type { BenchCase } from './cases.ts';
import { redisCost } from './redis-cost.ts';
import type { Measurement } from './statistics.ts';

const OURS = fileURLToPath(new URL('ours.ts', import.meta.url));
const BATCH = 2_000;

/** What one side says of itself. */
export interface Taken {
  readonly seconds: number;
  /** Of all that Redis was given to do, those beside the measured ones too. */
  readonly tasks: number;
  /** Of ours only. */
  readonly cpuSeconds?: number;
}

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
    if (bench.mode === 'drain') await this.#fill(queue, bench);
    const before = await redisCost(this.#router, queue);
    const taken = side === 'ours' ? await this.#ours(bench, queue) : await this.#go(bench, queue);
    const after = await redisCost(this.#router, queue);
    if (bench.mode !== 'drain') await this.#clear(queue);
    const { seconds, cpuSeconds } = taken;
    return {
      tasksPerSecond: bench.tasks / seconds,
      redisMicros: ((after.seconds - before.seconds) * 1e6) / taken.tasks,
      ...(cpuSeconds === undefined ? {} : { cpuMicros: (cpuSeconds * 1e6) / bench.tasks }),
    };
  }

  async #fill(queue: string, { tasks, payloadBytes }: BenchCase): Promise<void> {
    const payload = Buffer.alloc(payloadBytes, 'x');
    for (let done = 0; done < tasks; done += BATCH) {
      const batch = Array.from(
        { length: Math.min(BATCH, tasks - done) },
        () => new Task('bench:noop', payload),
      );
      await this.#client.enqueueMany(batch, { queue });
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

  async #ours(bench: BenchCase, queue: string): Promise<Taken> {
    const output = await run(process.execPath, [OURS, JSON.stringify(bench), this.#addrs.join(','), queue]);
    return JSON.parse(output) as Taken;
  }

  async #go({ mode, concurrency, tasks, payloadBytes }: BenchCase, queue: string): Promise<Taken> {
    const flags = { queue, n: tasks, concurrency, payload: payloadBytes };
    const args = Object.entries(flags).map(([name, value]) => `-${name}=${value}`);
    const [result] = await this.#peer.run(['bench', mode === 'drain' ? 'drain' : 'enqueue', ...args]);
    return { seconds: (result as Taken).seconds, tasks };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
    await this.#router.close();
  }
}
