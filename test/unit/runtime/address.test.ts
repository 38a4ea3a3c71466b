import { expect, test } from 'vitest';
import { isAddress, parseAddress } from '../../../src/runtime/address.ts';

test.each([
  ['127.0.0.1:7000', '127.0.0.1', 7000],
  ['redis-0.redis.svc:6379', 'redis-0.redis.svc', 6379],
  ['[::1]:7000', '::1', 7000],
  ['::1:7000', '::1', 7000],
])('%s', (addr, host, port) => {
  expect(parseAddress(addr)).toEqual({ host, port });
});

test.each(['', 'redis', ':6379', 'redis:', 'redis:0', 'redis:65536', 'redis:6379/1', 'redis: 6379'])(
  '%j is no address, and the error shows it',
  (addr) => {
    expect(() => parseAddress(addr)).toThrow(
      expect.objectContaining({
        code: 'ASYNQ_CONFIG_INVALID',
        message: expect.stringContaining(JSON.stringify(addr)),
      }),
    );
  },
);

test.each([
  ['redis:6379', true],
  ['[fe80::1%eth0]:6379', true],
  ['::1:6379', false],
  ['[redis:6379', false],
  ['[a b]:6379', false],
  ['redis:0', false],
  ['redis:65536', false],
])('%j as an address that stands in settings: %s', (addr, isOne) => {
  expect(isAddress(addr)).toBe(isOne);
});

test.each(['redis://:s3cret@redis:6379', ':s3cret@redis:6379', 's3cret@redis:6379/0'])(
  'the password in %j is not shown',
  (addr) => {
    expect(isAddress(addr)).toBe(false);
    expect(() => parseAddress(`${addr}/`)).toThrow(/^a Redis address is host:port, got something with an @$/);
  },
);
