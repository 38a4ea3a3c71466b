/**
 * Our side of one measurement, in a process of its own as the Go peer's is: `node bench/ours.ts CASE-AS-JSON ADDRS QUEUE`
 * prints as JSON the seconds that it took, and the CPU seconds of this process.
 */

import { Client, Server, Task } from '../src/index.ts';
import { silentLogger } from '../src/runtime/logger.ts';
import type { BenchCase } from './cases.ts';

/** Tasks of one `enqueueMany`. */
const CHUNK = 2_000;

const [caseText = '', addrsText = '', queue = ''] = process.argv.slice(2);
const { mode, concurrency, tasks, payloadBytes } = JSON.parse(caseText) as BenchCase;
const addrs = addrsText.split(',');
const payload = Buffer.alloc(payloadBytes, 'x');
const measured = mode === 'drain' ? await drain() : await enqueue();
process.stdout.write(`${JSON.stringify(measured)}\n`);

async function enqueue(): Promise<{ seconds: number; cpuSeconds: number }> {
  await using client = new Client({ addrs }, { log: silentLogger });
  await client.ping();
  const stop = stopwatch();
  await (mode === 'enqueue' ? oneByOne(client) : manyAtOnce(client));
  return stop();
}

async function oneByOne(client: Client): Promise<void> {
  let next = 0;
  const inFlight = async () => {
    while (next++ < tasks) await client.enqueue(new Task('bench:noop', payload), { queue });
  };
  await Promise.all(Array.from({ length: concurrency }, inFlight));
}

async function manyAtOnce(client: Client): Promise<void> {
  for (let done = 0; done < tasks; done += CHUNK) {
    const chunk = Array.from(
      { length: Math.min(CHUNK, tasks - done) },
      () => new Task('bench:noop', payload),
    );
    const results = await client.enqueueMany(chunk, { queue });
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }
}

async function drain(): Promise<{ seconds: number; cpuSeconds: number }> {
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
  return took;
}

function stopwatch(): () => { seconds: number; cpuSeconds: number } {
  const started = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6 };
  };
}
