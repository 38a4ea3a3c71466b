import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Server, silentLogger, Task } from '../src/index.ts';

/** Milliseconds, of one task each. */
export type Latencies = number[];

/** A server, and a client on a connection of its own, in one process: one clock tells how long a task took. */
class Course implements AsyncDisposable {
  readonly client: Client;
  readonly latencies: Latencies = [];
  readonly #server: Server;
  readonly #queue: string;
  readonly #since = new Map<string, number>();
  readonly #handled = new Set<() => void>();

  constructor(addrs: readonly string[], queue: string, concurrency: number) {
    this.client = new Client({ addrs }, { log: silentLogger });
    this.#server = new Server({ addrs }, { concurrency, queues: { [queue]: 1 }, log: silentLogger });
    this.#queue = queue;
  }

  async start(): Promise<void> {
    this.#server.start((_task, { taskId }) => {
      this.latencies.push(performance.now() - (this.#since.get(taskId) ?? Number.NaN));
      for (const resolve of this.#handled) resolve();
    });
    await this.client.ping();
    await this.run('warm-up', performance.now());
    this.latencies.length = 0;
  }

  /** Enqueues a task, whose latency counts from `since`, on the clock of `performance`. */
  async enqueue(taskId: string, since: number, processAt?: Date): Promise<void> {
    this.#since.set(taskId, since);
    const options = { queue: this.#queue, taskId, ...(processAt && { processAt }) };
    await this.client.enqueue(new Task('bench:noop', null, options));
  }

  /** The same, until the task is handled. */
  async run(taskId: string, since: number): Promise<void> {
    const before = this.latencies.length;
    await this.enqueue(taskId, since);
    await this.handled(before + 1);
  }

  /** Resolves when so many have been handled. */
  async handled(count: number): Promise<void> {
    while (this.latencies.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#handled.add(resolve);
      await promise;
      this.#handled.delete(resolve);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    await this.client.close();
  }
}

/** From the enqueue of one task to its handler, while the server has nothing else to do. */
export async function pickUp(addrs: readonly string[], queue: string, tasks: number): Promise<Latencies> {
  await using course = new Course(addrs, queue, 10);
  await course.start();
  for (let n = 0; n < tasks; n++) {
    await sleep(15 + Math.random() * 15);
    await course.run(`pick-up-${n}`, performance.now());
  }
  return course.latencies;
}

/** From the second in which a task is due to its handler; some tasks in each of several seconds. */
export async function scheduled(addrs: readonly string[], queue: string, tasks: number): Promise<Latencies> {
  await using course = new Course(addrs, queue, 10);
  await course.start();
  const first = Math.ceil(Date.now() / 1000) + 1;
  const seconds = Math.ceil(tasks / 20);
  for (let n = 0; n < tasks; n++) {
    const due = (first + (n % seconds)) * 1000;
    await course.enqueue(`scheduled-${n}`, due - performance.timeOrigin, new Date(due));
  }
  await course.handled(tasks);
  return course.latencies;
}

/** From the moment in which a task should have been enqueued to its handler, at a steady rate whatever becomes of it. */
export async function openLoop(
  addrs: readonly string[],
  queue: string,
  { tasks, perSecond }: { tasks: number; perSecond: number },
): Promise<Latencies> {
  await using course = new Course(addrs, queue, 10);
  await course.start();
  const start = performance.now();
  const enqueued: Promise<void>[] = [];
  for (let n = 0; n < tasks; n++) {
    const due = start + (n * 1000) / perSecond;
    while (performance.now() < due) await sleep(1);
    enqueued.push(course.enqueue(`open-${n}`, due));
  }
  await Promise.all(enqueued);
  await course.handled(tasks);
  return course.latencies;
}
