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

describe('quantities', () => {
  const requests = (cpu: string | number, memory: string) => ({ resources: { requests: { cpu, memory } } });

  it.each([
    ['500m', '1Gi'],
    ['0.5', '1024Mi'],
    [0.5, '1073741824'],
    ['.5', '1073741824000m'],
    ['5e-1', '1048576Ki'],
  ])('are the same however they are written: %s, %s', (cpu, memory) => {
    expect(contains(requests('500m', '1Gi'), requests(cpu, memory))).toBe(true);
  });

  it.each([
    ['501m', '1Gi'],
    ['500m', '1G'],
    ['half', '1Gi'],
  ])('differ in what they mean: %s, %s', (cpu, memory) => {
    expect(contains(requests('500m', '1Gi'), requests(cpu, memory))).toBe(false);
  });

  it('are looked for where they stand only', () => {
    expect(contains({ env: { value: '1' } }, { env: { value: '1.0' } })).toBe(false);
  });
});
