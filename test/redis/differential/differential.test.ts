import { randomInt } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { goBroker } from '../../support/go-broker.ts';
import { uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';
import { GoSide } from './go-side.ts';
import { type Sequence, sequence } from './operations.ts';
import { OurSide } from './our-side.ts';
import { drain, readable } from './queue-state.ts';

/*
 * Go's broker and ours do the same sequence of operations at the same times, each on a queue of its own: what they answer
 * and what they leave in Redis is the same, but for the listed differences.
 *
 *   DIFFERENTIAL_RUNS=20000 DIFFERENTIAL_SEED=1 vitest run --project redis test/redis/differential
 */

const RUNS = Number(process.env['DIFFERENTIAL_RUNS'] ?? 1_000);
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? randomInt(2 ** 31));
/** Sequences at once. */
const AT_ONCE = 8;

const go = await goBroker();
const router = testRouter();

async function compare({ queue, operations }: Sequence): Promise<void> {
  let now = Math.floor(Date.now() / 1000) * 1000 + 250;
  const theirs = new GoSide({ go, router, queue: uniqueQueue(queue) });
  const ours = new OurSide({ router, queue: uniqueQueue(queue), now });
  try {
    for (const operation of operations) {
      if (operation.do === 'wait') now += operation.ms;
      const [expected, got] = await Promise.all([theirs.take(operation, now), ours.take(operation, now)]);
      expect(got, `what ours says of ${JSON.stringify(operation)}`).toEqual(expected);
    }
  } finally {
    const [expected, got] = await Promise.all([drain(router, theirs.queue), drain(router, ours.queue)]);
    await theirs.close();
    if (JSON.stringify(got) !== JSON.stringify(expected)) expect(readable(got)).toEqual(readable(expected));
  }
}

it(`${RUNS} sequences leave the same in Redis as Go's (DIFFERENTIAL_SEED=${SEED})`, {
  timeout: 60_000 + RUNS * 300,
}, async () => {
  console.info(`differential: ${RUNS} sequences, DIFFERENTIAL_SEED=${SEED}`);
  const runs = Array.from({ length: AT_ONCE }, (_, index) =>
    fc.assert(fc.asyncProperty(sequence, compare), {
      seed: SEED + index,
      numRuns: Math.ceil(RUNS / AT_ONCE),
      interruptAfterTimeLimit: 60_000 + RUNS * 250,
      markInterruptAsFailure: true,
    }),
  );
  await Promise.all(runs);
});
