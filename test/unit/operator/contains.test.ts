import { describe, expect, it } from 'vitest';
import { contains } from '../../../src/operator/contains.ts';

const INTENT = {
  labels: { a: '1' },
  containers: [
    { name: 'worker', env: [{ name: 'A', value: '1' }], args: ['worker'], ports: [{ containerPort: 80 }] },
  ],
};

describe('a live object shows an intent', () => {
  it('with what others and the API server added', () => {
    const live = {
      labels: { a: '1', 'other.dev/x': 'y' },
      status: {},
      containers: [
        { name: 'injected', image: 'mesh' },
        {
          name: 'worker',
          image: 'set-by-somebody',
          env: [
            { name: 'MESH', value: 'on' },
            { name: 'A', value: '1' },
          ],
          args: ['worker'],
          ports: [{ containerPort: 80, protocol: 'TCP' }],
        },
      ],
    };
    expect(contains(live, INTENT)).toBe(true);
  });

  it.each([
    ['another value', { ...INTENT, labels: { a: '2' } }],
    ['a missing item', { ...INTENT, containers: [] }],
    ['a missing field', { containers: INTENT.containers }],
    [
      'a longer list of plain values',
      { ...INTENT, containers: [{ ...INTENT.containers[0], args: ['worker', 'x'] }] },
    ],
    ['nothing at all', undefined],
  ])('not with %s', (_, live) => {
    expect(contains(live, INTENT)).toBe(false);
  });
});
