import type { Clock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import type { Logger } from '../runtime/logger.ts';
import { type Random, systemRandom } from '../runtime/random.ts';
import { checkRedisOptions } from './check-options.ts';
import { ClusterTopology } from './cluster-topology.ts';
import { connect, type DialOptions } from './connect.ts';
import { LaneRouter } from './lane-router.ts';
import type { RedisConnOpt } from './options.ts';
import type { RedisRouter } from './router.ts';
import { SentinelTopology } from './sentinel-topology.ts';
import { StandaloneTopology } from './standalone-topology.ts';

/**
 * The way to a Redis server, a cluster, or the master that sentinels name. Nothing is connected before the first call, so
 * this fails for options that cannot be and for nothing else.
 * @throws ASYNQ_CONFIG_INVALID
 */
export function openRedis(
  options: RedisConnOpt,
  parts: { clock: Clock; log: Logger; random?: Random },
): RedisRouter {
  checkRedisOptions(options);
  const { clock, log, random = systemRandom } = parts;
  const common = {
    dial: (addr: string, signal: AbortSignal) => connect(addr, dialOptions(options, addr), { clock, signal }),
    clock,
    log,
    random,
  };
  if ('addr' in options) {
    const { addr } = options;
    return new LaneRouter({ ...common, topology: ({ ask }) => new StandaloneTopology(addr, ask) });
  }
  if ('sentinelAddrs' in options) {
    const { masterName, sentinelAddrs: sentinels } = options;
    return new LaneRouter({
      ...common,
      topology: (ways) => new SentinelTopology({ ...ways, masterName, sentinels, clock, random, log }),
    });
  }
  const { addrs: seeds } = options;
  return new LaneRouter({
    ...common,
    topology: (ways) => new ClusterTopology({ ...ways, seeds, clock, random, log }),
  });
}

/** Sentinels have users of their own, and no databases. */
function dialOptions(options: RedisConnOpt, addr: string): DialOptions {
  if (!('sentinelAddrs' in options) || !options.sentinelAddrs.includes(addr)) return options;
  const { sentinelUsername: username, sentinelPassword: password, tls, dialTimeout } = options;
  return defined({ username, password, tls, dialTimeout });
}
