import { describe } from 'vitest';
import { brokerCases } from '../../support/broker-cases.ts';
import { FakeBroker } from '../../support/fake-broker.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('the fake broker', () => {
  brokerCases(() => {
    const clock = new FakeClock();
    return Promise.resolve({
      broker: new FakeBroker(clock),
      now: () => clock.now(),
      advance: (ms) => clock.advance(ms),
      close: () => Promise.resolve(),
    });
  });
});
