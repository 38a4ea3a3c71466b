import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { keySlot } from '../../../src/redis/slots.ts';
import { testRouter } from '../../support/router.ts';

const redis = testRouter();

/** Braces more often than chance has them. */
const key = fc
  .array(fc.oneof(fc.constantFrom('{', '}', '{}', 'asynq:', ':t:', 'á', 'a\u0301', '🦊'), fc.string()))
  .map((parts) => parts.join(''));

test('the slot of any key is the one that Redis computes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(key, { minLength: 50, maxLength: 50 }), async (keys) => {
      const theirs = await Promise.all(
        keys.map((name) => redis.command('any', 'CLUSTER', ['KEYSLOT', name])),
      );
      expect(keys.map(keySlot)).toEqual(theirs);
    }),
    { numRuns: 20 },
  );
});
