import { randomInt } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Both } from './both.ts';
import { type Sequence, sequence } from './operations.ts';
import { readable } from './queue-state.ts';

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
/** Ample: a busy machine takes a tenth of it. */
const MS_A_RUN = 200;

const both = await Both.open();

async function compare(drawn: Sequence): Promise<void> {
  const { go, ours } = await both.run(drawn, {
    check: (operation, theirs, our) =>
      expect(our, `what ours says of ${JSON.stringify(operation)}`).toEqual(theirs),
  });
  const same = JSON.stringify(ours.state) === JSON.stringify(go.state);
  expect(same || readable(ours.state)).toEqual(same || readable(go.state));
}

it(`${RUNS} sequences leave the same in Redis as Go's (DIFFERENTIAL_SEED=${SEED})`, {
  timeout: 60_000 + RUNS * MS_A_RUN,
}, async () => {
  console.info(`differential: ${RUNS} sequences, DIFFERENTIAL_SEED=${SEED}`);
  const runs = Array.from({ length: AT_ONCE }, (_, index) =>
    fc.assert(fc.asyncProperty(sequence, compare), {
      seed: SEED + index,
      numRuns: Math.ceil(RUNS / AT_ONCE),
    }),
  );
  // None still goes on when the first failure is told.
  await Promise.allSettled(runs);
  await Promise.all(runs);
});
