import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRedisUri, parseRedisUri } from '../../../src/redis/uri.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';

describe('parseRedisUri', () => {
  it.each([
    ['redis://localhost', { addr: 'localhost:6379' }],
    ['redis://localhost:7000/', { addr: 'localhost:7000' }],
    ['redis://[::1]:7000/3', { addr: '[::1]:7000', db: 3 }],
    ['redis://:secret@h:1', { addr: 'h:1', password: 'secret' }],
    ['redis://me:p%40ss%2Fword@h:1/0', { addr: 'h:1', db: 0, username: 'me', password: 'p@ss/word' }],
    ['rediss://h:1', { addr: 'h:1', tls: {} }],
  ])('reads %s', (uri, options) => {
    expect(parseRedisUri(uri)).toEqual(options);
  });

  it.each([
    'redis://',
    'redis://h:0',
    'redis://h:99999',
    'redis://h/db',
    'redis://h/1/2',
    'redis://h?db=1',
    'redis-sentinel://h:1',
    'redis-socket:///tmp/redis.sock',
    'http://h:1',
    'redis://:p%ZZ@h:1',
  ])('refuses %s', (uri) => {
    expect(() => parseRedisUri(uri)).toThrow(/^expected /);
  });

  it('never tells a password', () => {
    expect(() => parseRedisUri('redis://:hunter2@h/x')).toThrow(/^(?!.*hunter2)/);
  });

  it('throws nothing but its own error, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('a1:/@[]%?#. ñ🙂')) }), (rest) => {
        const uri = `redis://${rest}`;
        expect(isRedisUri(uri)).toBe(true);
        expect(endsWell(uri)).toBe(true);
      }),
    );
  });
});

function endsWell(uri: string): boolean {
  try {
    parseRedisUri(uri);
    return true;
  } catch (error) {
    return AsynqError.is(error, 'ASYNQ_CONFIG_INVALID');
  }
}
