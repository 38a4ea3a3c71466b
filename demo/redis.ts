import { isFree } from '../test/lab/free-ports.ts';
import { redisBinaries } from '../test/lab/redis-binaries.ts';
import { type RedisCluster, startRedisCluster } from '../test/lab/redis-cluster.ts';

/** As in the tutorial of Asynq on Redis Cluster. */
const PORTS = [7000, 7001, 7002, 7003, 7004, 7005];

/** Three masters with a replica each, on the tutorial's ports or, when one of them is taken, on others. */
export async function startDemoCluster(say: (line: string) => void): Promise<RedisCluster> {
  await redisBinaries(say);
  const free = await Promise.all(PORTS.map((port) => isFree(port)));
  if (free.every(Boolean)) {
    try {
      return await startRedisCluster({ ports: PORTS });
    } catch (error) {
      if (!/address already in use/i.test(String(error))) throw error;
    }
  }
  say('Some of the ports 7000 to 7005 are taken: using others');
  return startRedisCluster();
}
