/**
 * Our side of one measurement, in a process of its own as the Go peer's is: `node bench/ours.ts CASE-AS-JSON ADDRS QUEUE`
 * prints as JSON the seconds that it took, the CPU seconds of this process, and the tasks, those of a warm-up included.
 */

import { Client, Server, Task } from '../src/index.ts';
import { silentLogger } from '../src/runtime/logger.ts';
import type { BenchCase } from './cases.ts';
import type { Taken } from './measure.ts';

/** Tasks of one `enqueueMany`. */
const CHUNK = 2_000;

/** Tasks before the clock starts, at most: a service runs for days, and V8 compiles what is hot. Go's is compiled before. */
const WARM_UP = 40_000;

const [caseText = '', addrsText = '', queue = ''] = process.argv.slice(2);
const { mode, concurrency, tasks, payloadBytes } = JSON.parse(caseText) as BenchCase;
const addrs = addrsText.split(',');
const payload = Buffer.alloc(payloadBytes, 'x');
const measures = { drain, enqueue, 'enqueue-many': enqueueMany };
const measured = await measures[mode]();
process.stdout.write(`${JSON.stringify(measured)}\n`);

async function enqueue(): Promise<Taken> {
  await using client = await connected();
  const stop = stopwatch();
  await oneByOne(client);
  return { ...stop(), tasks };
}

async function enqueueMany(): Promise<Taken> {
  await using client = await connected();
  const warmUp = Math.min(WARM_UP, tasks);
  await manyAtOnce(client, warmUp);
  const stop = stopwatch();
  await manyAtOnce(client, tasks);
  return { ...stop(), tasks: warmUp + tasks };
}

async function connected(): Promise<Client> {
  const client = new Client({ addrs }, { log: silentLogger });
  await client.ping();
  return client;
}

async function oneByOne(client: Client): Promise<void> {
  let next = 0;
  const inFlight = async () => {
    while (next++ < tasks) await client.enqueue(new Task('bench:noop', payload), { queue });
  };
  await Promise.all(Array.from({ length: concurrency }, inFlight));
}

async function manyAtOnce(client: Client, count: number): Promise<void> {
  for (let done = 0; done < count; done += CHUNK) {
    const length = Math.min(CHUNK, count - done);
    const chunk = Array.from({ length }, () => new Task('bench:noop', payload));
    const results = await client.enqueueMany(chunk, { queue });
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }
}

async function drain(): Promise<Taken> {
  const server = new Server({ addrs }, { concurrency, queues: { [queue]: 1 }, log: silentLogger });
  const done = Promise.withResolvers<void>();
  let handled = 0;
  const stop = stopwatch();
  server.start(() => {
    if (++handled === tasks) done.resolve();
  });
  await done.promise;
  const took = stop();
  await server.shutdown();
  return { ...took, tasks };
}

function stopwatch(): () => { seconds: number; cpuSeconds: number } {
  const started = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6 };
  };
}
