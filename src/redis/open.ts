import type { Clock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { type Random, systemRandom } from '../runtime/random.ts';
import { parseAddress } from './address.ts';
import { ClusterTopology } from './cluster-topology.ts';
import { connect, type DialOptions } from './connect.ts';
import { LaneRouter } from './lane-router.ts';
import type { RedisConnOpt } from './options.ts';
import type { RedisRouter } from './router.ts';
import { StandaloneTopology } from './standalone-topology.ts';

/**
 * The way to a Redis server or cluster. Nothing is connected before the first call, so this fails for options that
 * cannot be and for nothing else.
 * @throws ASYNQ_CONFIG_INVALID
 */
export function openRedis(
  options: RedisConnOpt,
  parts: { clock: Clock; log: Logger; random?: Random },
): RedisRouter {
  const { clock, log, random = systemRandom } = parts;
  const common = {
    dial: (addr: string, signal: AbortSignal) => connect(addr, dialOptions(options), { clock, signal }),
    clock,
    log,
    random,
  };
  if ('addr' in options) {
    parseAddress(options.addr);
    const { addr } = options;
    return new LaneRouter({ ...common, topology: ({ ask }) => new StandaloneTopology(addr, ask) });
  }
  const seeds = options.addrs;
  if (seeds.length === 0) {
    throw new AsynqError('ASYNQ_CONFIG_INVALID', 'expected at least one address of a Redis Cluster node');
  }
  for (const addr of seeds) parseAddress(addr);
  return new LaneRouter({
    ...common,
    topology: (ways) => new ClusterTopology({ ...ways, seeds, clock, random, log }),
  });
}

function dialOptions(options: RedisConnOpt): DialOptions {
  return options;
}
