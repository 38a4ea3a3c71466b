import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareResourceVersions, newerResourceVersion } from '../../../src/kube/resource-version.ts';

const version = fc.bigInt({ min: 0n, max: 2n ** 64n }).map(String);

test('orders as numbers, beyond what a double can hold', () => {
  fc.assert(
    fc.property(version, version, (a, b) => {
      expect(Math.sign(compareResourceVersions(a, b))).toBe(
        BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0,
      );
    }),
  );
  expect(compareResourceVersions('9007199254740993', '9007199254740992')).toBe(1);
});

test('the newest of many does not depend on their order', () => {
  fc.assert(
    fc.property(fc.array(version, { minLength: 1 }), (versions) => {
      const newest = versions.reduce<string | undefined>((a, b) => newerResourceVersion(a, b), undefined);
      expect(BigInt(newest ?? -1)).toBe(versions.map(BigInt).reduce((a, b) => (a > b ? a : b)));
    }),
  );
});

test('says nothing of versions that are no numbers', () => {
  for (const odd of ['', 'abc', '-1', '1.5', ' 1', '0x10']) {
    expect(compareResourceVersions(odd, '5')).toBe(0);
    expect(compareResourceVersions('5', odd)).toBe(0);
  }
});
