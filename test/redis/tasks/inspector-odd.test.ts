import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { AsynqError, errorText } from '../../../src/runtime/errors.ts';
import { Inspector } from '../../../src/tasks/inspector.ts';
import { testCluster } from '../../support/redis.ts';
import { brokerOn, HURTING_NAMES } from '../../support/redis-broker.ts';

/* Whatever programs without types ask: an answer, or an error of ours, and it neither hangs nor dies. */

const { router } = brokerOn(testCluster());
const inspector = new Inspector(router);

type Method = (...args: unknown[]) => Promise<unknown>;

const NAMES = Object.getOwnPropertyNames(Inspector.prototype).filter(
  (name) => name !== 'constructor' && name !== 'close',
);

const anything = fc.oneof(
  fc.anything({
    withDate: true,
    withBigInt: true,
    withTypedArray: true,
    withNullPrototype: true,
    maxDepth: 1,
  }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom<unknown>(
    ...HURTING_NAMES,
    Symbol('s'),
    Object.create(null),
    '\ud800',
    ' ',
    '}x',
    null,
    undefined,
  ),
  fc.record({ page: fc.anything(), pageSize: fc.anything() }, { requiredKeys: [] }),
);

async function fault(name: string, args: readonly unknown[]): Promise<string | undefined> {
  try {
    await (Reflect.get(inspector, name) as Method).apply(inspector, [...args]);
    return undefined;
  } catch (error) {
    return AsynqError.is(error) ? undefined : errorText(error);
  }
}

it.each(NAMES)('%s', async (name) => {
  const calls = fc.sample(fc.array(anything, { maxLength: 4 }), 25);
  const faults = await Promise.all(calls.map((args) => fault(name, args)));
  expect(calls.filter((_, n) => faults[n] !== undefined)).toEqual([]);
});
