import { describe } from 'vitest';
import { brokerCases } from '../../support/broker-cases.ts';
import { FakeBroker } from '../../support/fake-broker.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('the fake broker', () => {
  brokerCases(() => {
    const clock = new FakeClock();
    const broker = new FakeBroker(clock);
    return Promise.resolve({
      broker,
      limit: async (queue, concurrency) => broker.limit(queue, concurrency),
      now: () => clock.now(),
      advance: (ms) => clock.advance(ms),
      close: () => Promise.resolve(),
    });
  });
});
