import { writeQueueLimits } from '../../../src/broker/queue-limits.ts';
import { RedisBroker } from '../../../src/broker/redis-broker.ts';
import { openRedis } from '../../../src/redis/open.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { brokerCases } from '../../support/broker-cases.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { testCluster } from '../../support/redis.ts';

brokerCases(async () => {
  const router = openRedis(testCluster(), { clock: systemClock, log: silentLogger });
  const clock = new FakeClock(Date.now());
  const broker = new RedisBroker({ router, clock, log: silentLogger });
  return {
    broker,
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    limit: (queue, concurrency) => writeQueueLimits(router, queue, { concurrency }, 'hand'),
    close: () => broker.close(),
  };
});
