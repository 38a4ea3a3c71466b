import * as fc from 'fast-check';
import { Command } from 'ioredis';
import { expect, it } from 'vitest';
import { commandBytes } from '../../../src/redis/command-bytes.ts';

const arg = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 1_100 }),
  fc.integer(),
  fc.uint8Array({ maxLength: 200 }),
);

it('is what the driver would write', () => {
  fc.assert(
    fc.property(fc.array(arg, { maxLength: 120 }), (args) => {
      const buffers = args.map((one) => (one instanceof Uint8Array ? Buffer.from(one) : one));
      const expected = new Command('EVALSHA', buffers, {}, () => {}).toWritable({});
      expect(commandBytes('EVALSHA', args)).toEqual(Buffer.from(expected));
    }),
  );
});

it('leaves nothing of a large command in the next', () => {
  const payload = Buffer.alloc(3 << 20, 'x');
  const head = `*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$${payload.byteLength}\r\n`;
  expect(commandBytes('SET', ['key', payload]).byteLength).toBe(head.length + payload.byteLength + 2);
  expect(commandBytes('PING', []).toString()).toBe('*1\r\n$4\r\nPING\r\n');
});

it.each<[string, unknown]>([
  ['nothing', undefined],
  ['null', null],
  ['an object', { byteLength: 3 }],
  ['a bigint', 1n],
  ['an object (DataView)', new DataView(new ArrayBuffer(8))],
  ['an object (ArrayBuffer)', new ArrayBuffer(8)],
  ['an object (Float64Array)', new Float64Array(1)],
])('refuses an argument that is %s, and keeps nothing of the command', (came, unfit) => {
  expect(() => commandBytes('SET', ['key', unfit as string])).toThrow(
    expect.objectContaining({
      code: 'ASYNQ_OPTION_INVALID',
      message: `SET: expected arguments that are text, numbers or bytes (Uint8Array), got ${came}`,
    }),
  );
  expect(commandBytes('PING', []).toString()).toBe('*1\r\n$4\r\nPING\r\n');
});

it.each<[string, unknown]>([
  ['nothing', undefined],
  ['a string', '\u{1f600}'],
])('refuses %s in place of the arguments', (came, unfit) => {
  expect(() => commandBytes('GET', unfit as string[])).toThrow(
    `GET: expected a list of arguments, got ${came}`,
  );
});
