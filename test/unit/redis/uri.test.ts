import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRedisUri, parseRedisUri } from '../../../src/redis/uri.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';

const rests = fc.string({ unit: fc.constantFrom(...Array.from('a1:/@[]%?#.,= ñ🙂'), '?master=m') });

describe('parseRedisUri', () => {
  it.each([
    ['redis://localhost', { addr: 'localhost:6379' }],
    ['redis://localhost:7000/', { addr: 'localhost:7000' }],
    ['redis://[::1]:7000/3', { addr: '[::1]:7000', db: 3 }],
    ['redis://:secret@h:1', { addr: 'h:1', password: 'secret' }],
    ['redis://me:p%40ss%2Fword@h:1/0', { addr: 'h:1', db: 0, username: 'me', password: 'p@ss/word' }],
    ['rediss://h:1', { addr: 'h:1', tls: {} }],
    ['redis-socket:///run/redis.sock', { network: 'unix', addr: '/run/redis.sock' }],
    [
      'redis-socket://:pw@/a%20b/r.sock?db=3',
      { network: 'unix', addr: '/a b/r.sock', db: 3, password: 'pw' },
    ],
    ['redis-sentinel://h?master=m', { sentinelAddrs: ['h:26379'], masterName: 'm' }],
    [
      'redis-sentinel://u:p%40@h:1,[::1]:2,i/4?master=my%20set',
      {
        sentinelAddrs: ['h:1', '[::1]:2', 'i:26379'],
        masterName: 'my set',
        db: 4,
        sentinelUsername: 'u',
        sentinelPassword: 'p@',
      },
    ],
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
    'redis-sentinel://?master=m',
    'redis-sentinel://h:1,,i?master=m',
    'redis-sentinel://h/x?master=m',
    'redis-socket://h/tmp/redis.sock',
    'redis-socket:///',
    'redis-socket:///s?db=x',
    'http://h:1',
    'redis://:p%ZZ@h:1',
  ])('refuses %s', (uri) => {
    expect(() => parseRedisUri(uri)).toThrow(/^expected /);
  });

  it('never tells a password', () => {
    for (const uri of ['redis://:hunter2@h/x', 'redis-socket://:hunter2@/', 'redis-sentinel://:hunter2@h']) {
      expect(() => parseRedisUri(uri)).toThrow(/^(?!.*hunter2)/);
    }
  });

  it('throws nothing but its own error, whatever it is given', () => {
    fc.assert(
      fc.property(fc.constantFrom('', 's', '-socket', '-sentinel'), rests, (kind, rest) => {
        const uri = `redis${kind}://${rest}`;
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
