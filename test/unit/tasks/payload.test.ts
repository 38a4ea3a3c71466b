import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Payload } from '../../../src/tasks/payload.ts';
import { Task } from '../../../src/tasks/task.ts';

const payloadOf = (json: string) => new Payload(Buffer.from(json));

describe('a payload', () => {
  it('is JSON of what it is given', () => {
    expect(Payload.of({ para: 123, de: [4] }).text()).toBe('{"para":123,"de":[4]}');
    expect(Payload.of('text').text()).toBe('"text"');
    expect(Payload.of(false).text()).toBe('false');
  });

  it('is bytes as they are, of whatever kind', () => {
    const bytes = new Uint8Array([1, 0, 255]);
    for (const given of [bytes, bytes.buffer, Buffer.from(bytes), new DataView(bytes.buffer)]) {
      expect([...Payload.of(given).bytes]).toEqual([1, 0, 255]);
    }
    expect([...Payload.of(new Uint16Array([1]).subarray(0, 1)).bytes]).toEqual([1, 0]);
  });

  it('is nothing, which is not the same as empty', () => {
    expect(Payload.of(null)).toMatchObject({ isNil: true });
    expect(new Task('t').payload).toMatchObject({ isNil: true });
    expect(Payload.of(new Uint8Array())).toMatchObject({ isNil: false });
  });

  it.each([[() => 1], [Object.assign({}, { n: 1n })], [{ toJSON: () => undefined }]])(
    'cannot be what JSON cannot say: %o',
    (input) => {
      expect(() => Payload.of(input)).toThrow(expect.objectContaining({ code: 'ASYNQ_PAYLOAD_NOT_JSON' }));
    },
  );

  it('brings any JSON back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(value !== null);
        expect(Payload.of(value as object).json()).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('the getters of a payload', () => {
  const payload = payloadOf(`{
    "user_id": 42, "name": "Ana", "ratio": 0.5, "on": true, "none": null, "digits": 9007199254740993,
    "tags": ["a", "b"], "ids": [1, 2], "at": "2026-02-03T04:05:06Z", "map": {"k": [1]}, "__proto__": 7
  }`);

  it('bring values of their kind', () => {
    expect(payload.getInt('user_id')).toBe(42);
    expect(payload.getString('name')).toBe('Ana');
    expect(payload.getFloat('ratio')).toBe(0.5);
    expect(payload.getFloat('user_id')).toBe(42);
    expect(payload.getBool('on')).toBe(true);
    expect(payload.getStringSlice('tags')).toEqual(['a', 'b']);
    expect(payload.getIntSlice('ids')).toEqual([1, 2]);
    expect(payload.getTime('at')).toEqual(new Date('2026-02-03T04:05:06Z'));
    expect(payload.getStringMap('map')).toEqual({ k: [1] });
    expect(payload.getInt('__proto__')).toBe(7);
  });

  it('keep every digit of an integer, or refuse it', () => {
    expect(payload.getBigInt('digits')).toBe(9_007_199_254_740_993n);
    expect(payload.getBigInt('user_id')).toBe(42n);
    expect(() => payload.getInt('digits')).toThrow(
      /"digits": expected an integer below 2\^53, got the number 9007199254740992/,
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (n) => {
        expect(payloadOf(`{"n": ${n}, "other": [${n}]}`).getBigInt('n')).toBe(n);
      }),
    );
  });

  it('know which fields are there', () => {
    expect(['user_id', 'none', 'missing', 'toString'].map((field) => payload.has(field))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it.each([
    ['getInt', 'missing', 'an integer below 2^53, got nothing'],
    ['getInt', 'toString', 'an integer below 2^53, got nothing'],
    ['getInt', 'name', 'an integer below 2^53, got a string'],
    ['getInt', 'ratio', 'an integer below 2^53, got the number 0.5'],
    ['getString', 'user_id', 'a string, got the number 42'],
    ['getString', 'none', 'a string, got null'],
    ['getFloat', 'on', 'a number, got a boolean'],
    ['getBool', 'name', 'a boolean, got a string'],
    ['getTime', 'name', 'a time as text, got a string'],
    ['getStringSlice', 'ids', 'an array of strings, got an array'],
    ['getIntSlice', 'tags', 'an array of integers below 2^53, got an array'],
    ['getStringMap', 'tags', 'an object, got an array'],
    ['getBigInt', 'ratio', 'an integer, got the number 0.5'],
  ] as const)('say what is wrong: %s of %s', (getter, field, text) => {
    expect(() => payload[getter](field)).toThrow(
      expect.objectContaining({
        code: 'ASYNQ_PAYLOAD_FIELD',
        message: `payload field "${field}": expected ${text}`,
      }),
    );
  });

  it.each(['', 'not json', '[1]', '"text"', 'null', '{"a":'])('need a JSON object: %j', (text) => {
    expect(() => payloadOf(text).getInt('a')).toThrow(
      expect.objectContaining({ code: 'ASYNQ_PAYLOAD_NOT_JSON' }),
    );
  });
});
