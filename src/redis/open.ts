import { type Clock, systemClock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import type { Logger } from '../runtime/logger.ts';
import { type Random, systemRandom } from '../runtime/random.ts';
import { stderrLogger } from '../runtime/stderr-logger.ts';
import { checkRedisOptions } from './check-options.ts';
import { ClusterTopology } from './cluster-topology.ts';
import { connect, type DialOptions } from './connect.ts';
import { LaneRouter } from './lane-router.ts';
import type { RedisConnOpt } from './options.ts';
import type { RedisRouter } from './router.ts';
import { SentinelTopology } from './sentinel-topology.ts';
import { StandaloneTopology } from './standalone-topology.ts';

export interface RedisParts {
  /** @default the system's */
  readonly clock?: Clock;
  /** @default warnings and errors on stderr */
  readonly log?: Logger;
  /** Spreads reconnects. @default Math.random */
  readonly random?: Random;
}

/**
 * The way to a Redis server, a cluster, or the master that sentinels name. Nothing is connected before the first call, so
 * this fails for options that cannot be and for nothing else. It can be given to several clients, servers and inspectors;
 * whoever opened it closes it. Go's `MakeRedisClient`.
 *
 * @throws ASYNQ_CONFIG_INVALID
 */
export function openRedis(options: RedisConnOpt, parts: RedisParts = {}): RedisRouter {
  checkRedisOptions(options);
  const { clock = systemClock, log = stderrLogger('warn'), random = systemRandom } = parts;
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

/** A connection that others use too, or one of our own making, which ends with us. */
export function shareOrOpen(
  redis: RedisConnOpt | RedisRouter,
  parts?: RedisParts,
): { readonly router: RedisRouter; readonly isOwner: boolean } {
  if (isRouter(redis)) return { router: redis, isOwner: false };
  return { router: openRedis(redis, parts), isOwner: true };
}

function isRouter(redis: RedisConnOpt | RedisRouter): redis is RedisRouter {
  return typeof redis === 'object' && redis !== null && 'run' in redis;
}

/** Sentinels have users of their own, and no databases. */
function dialOptions(options: RedisConnOpt, addr: string): DialOptions {
  if (!('sentinelAddrs' in options) || !options.sentinelAddrs.includes(addr)) return options;
  const { sentinelUsername: username, sentinelPassword: password, tls, dialTimeout } = options;
  return defined({ username, password, tls, dialTimeout });
}
