import { expect, it } from 'vitest';
import { specChanges } from '../../../../src/operator/ends/spec-changes.ts';

it('names each field that an edit changed, with what it was and is', () => {
  const before = {
    queue: 'a',
    scaling: { maxReplicas: 3, target: { latencySeconds: 2 } },
    redis: { addrs: ['a:1'] },
  };
  const after = { queue: 'a', scaling: { maxReplicas: 5 }, redis: { addrs: ['a:1', 'b:2'] }, paused: true };
  expect(specChanges(before, after)).toEqual([
    'scaling.maxReplicas 3 -> 5',
    'scaling.target.latencySeconds 2 -> none',
    'redis.addrs ["a:1"] -> ["a:1","b:2"]',
    'paused none -> true',
  ]);
  expect(specChanges(before, structuredClone(before))).toEqual([]);
});

it('cuts a value that is long', () => {
  const [change] = specChanges({ queue: 'a' }, { queue: 'b'.repeat(500) });
  expect(change?.length).toBeLessThan(90);
});
