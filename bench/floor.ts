import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { openRedis, silentLogger, systemClock } from '../src/index.ts';
import type { Latencies } from './latency.ts';

const ENQUEUE = `redis.call('HSET', KEYS[2], 'msg', ARGV[1]) return redis.call('LPUSH', KEYS[1], ARGV[1])`;
const DEQUEUE = `local id = redis.call('RPOP', KEYS[1]) redis.call('DEL', ARGV[1] .. id) return id`;

/**
 * What a pick-up takes at least on this machine, now: a push that wakes a blocked connection, and a script that takes
 * what was pushed, with the bare driver and nothing around it.
 */
export async function pickUpFloor(
  addrs: readonly string[],
  queue: string,
  tasks: number,
): Promise<Latencies> {
  const pending = `asynq:{${queue}}:pending`;
  const router = openRedis({ addrs }, { clock: systemClock, log: silentLogger });
  const { master } = await router.locate(pending);
  await router.close();
  const at = master.addr.lastIndexOf(':');
  const open = () => new Redis({ host: master.addr.slice(0, at), port: Number(master.addr.slice(at + 1)) });
  const [waiting, client, server] = [open(), open(), open()];
  const latencies: Latencies = [];
  for (let n = 0; n < tasks; n++) {
    const woken = waiting.blmove(pending, pending, 'RIGHT', 'RIGHT', 5);
    await sleep(15 + Math.random() * 15);
    const since = performance.now();
    const enqueued = client.eval(ENQUEUE, 2, pending, `asynq:{${queue}}:t:${n}`, n);
    await woken;
    await server.eval(DEQUEUE, 1, pending, `asynq:{${queue}}:t:`);
    latencies.push(performance.now() - since);
    await enqueued;
  }
  for (const connection of [waiting, client, server]) connection.disconnect();
  return latencies;
}
