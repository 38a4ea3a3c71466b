import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenBucket } from '../../../src/kube/token-bucket.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('never lets more than burst + rate x time through, in any window', async () => {
  const steps = fc.array(fc.record({ waitMs: fc.nat(2_000), takes: fc.nat(8) }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const clock = new FakeClock(0);
      const bucket = new TokenBucket({ clock, perSecond: 2, burst: 5 });
      const taken: number[] = [];
      for (const { waitMs, takes } of sequence) {
        await clock.advance(waitMs);
        for (let n = 0; n < takes; n++) if (bucket.tryTake()) taken.push(clock.now());
      }
      for (const [from, begin] of taken.entries()) {
        for (const [to, end] of taken.entries()) {
          if (to < from) continue;
          expect(to - from + 1).toBeLessThanOrEqual(5 + (2 * (end - begin)) / 1000 + 1e-6);
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('a reservation waits its turn, and one that is given back is free for the next', () => {
  const bucket = new TokenBucket({ clock: new FakeClock(), perSecond: 10, burst: 2 });
  expect([bucket.reserve(), bucket.reserve(), bucket.reserve(), bucket.reserve()]).toEqual([0, 0, 100, 200]);
  bucket.refund();
  expect(bucket.reserve()).toBeCloseTo(200);
});
