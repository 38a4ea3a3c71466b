import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Claim, conflictsOf } from '../../../src/operator/conflicts.ts';
import { queueOf } from './builders.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();

function claim(
  name: string,
  minute: number,
  parts: { redis?: string; connection?: string; queue?: string; uid?: string; target?: string } = {},
): Claim {
  const spec = {
    queue: parts.queue ?? name,
    ...(parts.target === undefined ? {} : { workerRef: { kind: 'Deployment' as const, name: parts.target } }),
  };
  const metadata = {
    name,
    creationTimestamp: at(minute),
    ...(parts.uid === undefined ? {} : { uid: parts.uid }),
  };
  return { queue: queueOf(metadata, spec), connection: parts.connection, redis: parts.redis };
}

describe('AsynqQueues that want the same', () => {
  it('queue of one Redis, by whatever addresses: the older keeps it', () => {
    const conflicts = conflictsOf([
      claim('b', 2, { queue: 'q', redis: 'node', connection: 'one' }),
      claim('a', 1, { queue: 'q', redis: 'node', connection: 'two' }),
    ]);
    expect([...conflicts]).toEqual([
      [
        'media/b',
        {
          reason: 'QueueConflict',
          message: 'the queue "q" of this Redis belongs to the older AsynqQueue media/a',
        },
      ],
    ]);
  });

  it('queue over one connection, when the Redis behind it is not known', () => {
    const conflicts = conflictsOf([
      claim('a', 1, { queue: 'q', connection: 'one' }),
      claim('b', 2, { queue: 'q', connection: 'one', redis: 'node' }),
    ]);
    expect([...conflicts.keys()]).toEqual(['media/b']);
  });

  it('workload: the younger stands back', () => {
    const conflicts = conflictsOf([claim('a', 1, { target: 'legacy' }), claim('b', 2, { target: 'legacy' })]);
    expect(conflicts.get('media/b')).toEqual({
      reason: 'TargetConflict',
      message: 'the Deployment legacy belongs to the older AsynqQueue media/a',
    });
  });

  it('and are of one age: the smaller UID keeps it', () => {
    const conflicts = conflictsOf([
      claim('a', 1, { queue: 'q', redis: 'node', uid: 'z' }),
      claim('b', 1, { queue: 'q', redis: 'node', uid: 'y' }),
    ]);
    expect([...conflicts.keys()]).toEqual(['media/a']);
  });
});

describe("AsynqQueues that do not stand in each other's way", () => {
  it.each([
    ['other queues', claim('a', 1, { redis: 'node' }), claim('b', 2, { redis: 'node' })],
    ['other Redises', claim('a', 1, { queue: 'q', redis: 'x' }), claim('b', 2, { queue: 'q', redis: 'y' })],
    [
      'queues that differ in their Unicode form',
      claim('a', 1, { queue: '\u00e9', redis: 'n' }),
      claim('b', 2, { queue: 'e\u0301', redis: 'n' }),
    ],
  ])('%s', (_, a, b) => {
    expect(conflictsOf([a, b]).size).toBe(0);
  });

  it('one that stands back claims nothing', () => {
    const conflicts = conflictsOf([
      claim('a', 1, { queue: 'q', redis: 'node', target: 'x' }),
      claim('b', 2, { queue: 'q', redis: 'node', target: 'y' }),
      claim('c', 3, { queue: 'other', redis: 'node', target: 'y' }),
    ]);
    expect([...conflicts.keys()]).toEqual(['media/b']);
  });
});

describe('any set of claims', () => {
  const anyClaims = fc.uniqueArray(
    fc.tuple(
      fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      fc.nat({ max: 3 }),
      fc.constantFrom('q', 'r'),
      fc.constantFrom('node', 'other'),
    ),
    { selector: ([name]) => name },
  );

  it('leaves exactly one holder for each queue, whatever the order', () => {
    fc.assert(
      fc.property(anyClaims, (parts) => {
        const claims = parts.map(([name, minute, queue, redis]) => claim(name, minute, { queue, redis }));
        const conflicts = conflictsOf(claims);
        const holders = parts
          .filter(([name]) => !conflicts.has(`media/${name}`))
          .map(([, , queue, redis]) => `${queue} ${redis}`);
        expect(holders.toSorted()).toEqual([...new Set(parts.map(([, , q, r]) => `${q} ${r}`))].toSorted());
        expect(conflictsOf(claims.toReversed())).toEqual(conflicts);
      }),
    );
  });
});
