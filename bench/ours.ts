/**
 * Our side of one measurement, in a process of its own as the Go peer's is: `node bench/ours.ts CASE-AS-JSON ADDRS QUEUE`
 * prints the seconds that it took as JSON.
 */

import { Client, Server, Task } from '../src/index.ts';
import { silentLogger } from '../src/runtime/logger.ts';
import { type BenchCase, PAYLOAD_BYTES } from './cases.ts';

const [caseText = '', addrsText = '', queue = ''] = process.argv.slice(2);
const { mode, concurrency, tasks } = JSON.parse(caseText) as BenchCase;
const addrs = addrsText.split(',');
const seconds = mode === 'enqueue' ? await enqueue() : await drain();
process.stdout.write(`${JSON.stringify({ seconds })}\n`);

async function enqueue(): Promise<number> {
  await using client = new Client({ addrs }, { log: silentLogger });
  await client.ping();
  const payload = Buffer.alloc(PAYLOAD_BYTES, 'x');
  let next = 0;
  const inFlight = async () => {
    while (next++ < tasks) await client.enqueue(new Task('bench:noop', payload), { queue });
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: concurrency }, inFlight));
  return (performance.now() - started) / 1000;
}

async function drain(): Promise<number> {
  const server = new Server({ addrs }, { concurrency, queues: { [queue]: 1 }, log: silentLogger });
  const done = Promise.withResolvers<void>();
  let handled = 0;
  const started = performance.now();
  server.start(() => {
    if (++handled === tasks) done.resolve();
  });
  await done.promise;
  const took = (performance.now() - started) / 1000;
  await server.shutdown();
  return took;
}
