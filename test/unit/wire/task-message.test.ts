import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { TaskMessageSchema } from '../../../src/wire/gen/asynq_pb.ts';
import { decodeTaskMessage, encodeTaskMessage, type TaskMessage } from '../../../src/wire/task-message.ts';
import vectors from '../../vectors/messages.json' with { type: 'json' };

const minimal: TaskMessage = {
  type: 'email:welcome',
  payload: new TextEncoder().encode('{"a":1}'),
  headers: {},
  id: 'id1',
  queue: 'default',
  retry: 25,
  retried: 0,
  errorMsg: '',
  timeout: 1800,
  deadline: 0,
  uniqueKey: '',
  lastFailedAt: 0,
  retention: 0,
  completedAt: 0,
  groupKey: '',
};

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytes = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** What a peer reads of it. */
const recoded = (message: TaskMessage) => decodeTaskMessage(new Uint8Array(encodeTaskMessage(message)));

const codeOf = (call: () => unknown): unknown => {
  try {
    call();
    return undefined;
  } catch (error) {
    return AsynqError.is(error) ? error.code : error;
  }
};

const text = fc.string({ unit: 'grapheme', maxLength: 150 });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const int64 = fc.maxSafeInteger();

/** Any message that Go could write. */
const anyMessage: fc.Arbitrary<TaskMessage> = fc.record({
  type: text,
  payload: fc.uint8Array({ maxLength: 300 }),
  headers: fc.dictionary(text, text, { maxKeys: 4, noNullPrototype: true }),
  id: text,
  queue: text,
  retry: int32,
  retried: int32,
  errorMsg: text,
  timeout: int64,
  deadline: int64,
  uniqueKey: text,
  lastFailedAt: int64,
  retention: int64,
  completedAt: int64,
  groupKey: text,
});

describe('task message', () => {
  it('has the bytes that Go writes', () => {
    expect(hex(encodeTaskMessage(minimal))).toBe(
      hex(
        bytes('0a0d656d61696c3a77656c636f6d65 12077b2261223a317d 1a03696431 220764656661756c74 2819 40880e'),
      ),
    );
    const withHeader = encodeTaskMessage({ ...minimal, headers: { k: 'v' } });
    expect(hex(withHeader)).toMatch(/7a060a016b120176$/);
  });

  it.each(vectors.tasks)('reads and writes again what Go wrote: $name', ({ msg, uniqueKey, task }) => {
    const message = decodeTaskMessage(bytes(msg));
    expect(message).toMatchObject({
      type: task.type,
      id: task.id,
      queue: task.queue,
      headers: task.headers ?? {},
      retry: task.maxRetry,
      retried: task.retried,
      errorMsg: task.lastErr,
      timeout: task.timeoutSeconds,
      deadline: task.deadline,
      uniqueKey,
      lastFailedAt: task.lastFailedAt,
      retention: task.retentionSeconds,
      completedAt: task.completedAt,
      groupKey: task.group,
    });
    expect(Buffer.from(message.payload).toString('base64')).toBe(task.payload ?? '');
    const rewritten = recoded(message);
    expect(rewritten).toEqual(message);
    // Go writes headers in random order.
    const inOrder = Object.keys(message.headers).length < 2;
    expect(inOrder ? hex(encodeTaskMessage(message)) : msg).toBe(msg);
  });

  it('survives a round trip', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(recoded(message)).toEqual(message);
      }),
    );
  });

  it('may be large, and the next one small', () => {
    const large = { ...minimal, payload: new Uint8Array(200_000).fill(7), errorMsg: 'é'.repeat(100_000) };
    expect(recoded(large)).toEqual(large);
    expect(recoded(minimal)).toEqual(minimal);
  });

  it('agrees with the generated codec, both ways', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const generated = toBinary(
          TaskMessageSchema,
          create(TaskMessageSchema, {
            ...message,
            timeout: BigInt(message.timeout),
            deadline: BigInt(message.deadline),
            lastFailedAt: BigInt(message.lastFailedAt),
            retention: BigInt(message.retention),
            completedAt: BigInt(message.completedAt),
          }),
        );
        const ours = encodeTaskMessage(message);
        expect(hex(ours)).toBe(hex(generated));
        expect(decodeTaskMessage(generated)).toEqual(message);
        expect(fromBinary(TaskMessageSchema, ours).errorMsg).toBe(message.errorMsg);
      }),
    );
  });

  it('keeps the fields of a newer peer, known numbers with another wire type among them', () => {
    // 16 as text, 17 as a varint, 18 as 64 bits, 19 as a group, and 5 (an int32) as text.
    const newer = '82010161 88012a 910101020304 05060708 9b01 08019c01 2a0162';
    const message = decodeTaskMessage(bytes(`0a0174${newer}`));
    expect(message).toMatchObject({ type: 't', retry: 0 });
    const retried = encodeTaskMessage({ ...message, retried: 1 });
    expect(hex(retried)).toBe(hex(bytes(`0a0174 3001${newer}`)));
  });

  it('holds a deadline beyond exact numbers at the greatest exact one', () => {
    const message = decodeTaskMessage(bytes('48ffffffffffffffff7f'));
    expect(message.deadline).toBe(Number.MAX_SAFE_INTEGER);
    expect(recoded(message)).toEqual(message);
  });

  it.each([
    ['ends in the middle', '0a0d656d61'],
    ['has a field number 0', '0001'],
    ['has a wire type 7', '0f'],
    ['ends in a varint', '28ff'],
    ['has text that is not UTF-8', '0a02c328'],
    ['is text', hex(Buffer.from('not a message'))],
  ])('is unreadable when it %s', (_, message) => {
    expect(() => decodeTaskMessage(bytes(message))).toThrow(
      expect.objectContaining({ code: 'ASYNQ_MESSAGE_UNREADABLE', cause: expect.any(Error) }),
    );
  });

  it('never fails with anything but unreadable, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (garbage) => {
        expect(codeOf(() => decodeTaskMessage(garbage))).toBeOneOf([undefined, 'ASYNQ_MESSAGE_UNREADABLE']);
      }),
    );
  });

  it('refuses what the wire cannot hold, and writes the next message whole', () => {
    for (const wrong of [
      { type: 'a\udc00' },
      { retry: 2 ** 31 },
      { retry: 0.5 },
      { headers: { k: '\ud800' } },
      { deadline: 0.5 },
    ]) {
      expect(() => encodeTaskMessage({ ...minimal, ...wrong })).toThrow(
        expect.objectContaining({ code: 'ASYNQ_OPTION_INVALID' }),
      );
      expect(recoded(minimal)).toEqual(minimal);
    }
  });
});
