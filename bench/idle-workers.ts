import { setTimeout as sleep } from 'node:timers/promises';
import { Client, openRedis, Server, silentLogger, systemClock, Task } from '../src/index.ts';
import { redisCost } from './redis-cost.ts';

const PER_SECOND = 100;

/** What one task costs the master of its queue while so many workers wait for it. */
export interface IdleCost {
  readonly redisMicros: number;
  readonly replicatedBytes: number;
}

/** Tasks come at a slow, steady rate to workers that have nothing else to do; each has connections of its own. */
export async function idleCost(
  addrs: readonly string[],
  queue: string,
  { workers, tasks }: { workers: number; tasks: number },
): Promise<IdleCost> {
  const router = openRedis({ addrs }, { clock: systemClock, log: silentLogger });
  await using client = new Client({ addrs }, { log: silentLogger });
  const handled = Promise.withResolvers<void>();
  let count = 0;
  const servers = Array.from(
    { length: workers },
    () => new Server({ addrs }, { concurrency: 10, queues: { [queue]: 1 }, log: silentLogger }),
  );
  for (const server of servers) {
    server.start(() => {
      if (++count === tasks) handled.resolve();
    });
  }
  await Promise.all(servers.map((server) => server.ping()));
  await sleep(2_000); // they connect, look, and settle into waiting
  const before = await redisCost(router, queue);
  const start = performance.now();
  for (let n = 0; n < tasks; n++) {
    await sleep(Math.max(0, start + (n * 1000) / PER_SECOND - performance.now()));
    await client.enqueue(new Task('bench:noop'), { queue });
  }
  await handled.promise;
  const after = await redisCost(router, queue);
  await Promise.all(servers.map((server) => server.shutdown()));
  await router.close();
  return {
    redisMicros: ((after.seconds - before.seconds) * 1e6) / tasks,
    replicatedBytes: (after.replicated - before.replicated) / tasks,
  };
}
