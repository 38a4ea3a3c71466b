import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  decodeSchedulerEntry,
  decodeSchedulerEvent,
  encodeSchedulerEntry,
  encodeSchedulerEvent,
} from '../../../src/wire/scheduler-entry.ts';

const UNREADABLE = expect.objectContaining({ code: 'ASYNQ_MESSAGE_UNREADABLE' });
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const text = fc.string({ unit: 'grapheme' });
const time = fc.integer({ min: -1e12, max: 1e13 });

it('writes an entry as Go does, one that has not fired too', () => {
  const bytes = encodeSchedulerEntry({
    id: 'i',
    spec: 's',
    taskType: 't',
    taskPayload: new Uint8Array(),
    options: ['a'],
    next: 100_000,
    prev: undefined,
  });
  const go = '0a0169 120173 1a0174 2a0161 32020864 3a0b088092b8c398feffffff01';
  expect(hex(bytes)).toBe(go.replaceAll(' ', ''));
});

it('reads what Go wrote, to the millisecond', () => {
  const go = '0a0169 120173 1a0174 22020102 2a0161 2a0162 3206 0864 10c0 843d 3a0b088092b8c398feffffff01';
  expect(decodeSchedulerEntry(Buffer.from(go.replaceAll(' ', ''), 'hex'))).toEqual({
    id: 'i',
    spec: 's',
    taskType: 't',
    taskPayload: Buffer.from([1, 2]),
    options: ['a', 'b'],
    next: 100_001,
    prev: undefined,
  });
});

it('brings entries back as they were', () => {
  const optional = fc.option(time, { nil: undefined });
  const entry = fc.record({
    id: text,
    spec: text,
    taskType: text,
    taskPayload: fc.uint8Array(),
    options: fc.array(text),
    next: optional,
    prev: optional,
  });
  fc.assert(
    fc.property(entry, (any) => {
      expect(decodeSchedulerEntry(encodeSchedulerEntry(any))).toEqual(any);
    }),
  );
});

it('brings events back as they were', () => {
  fc.assert(
    fc.property(fc.record({ taskId: text, enqueuedAt: time }), (any) => {
      expect(decodeSchedulerEvent(encodeSchedulerEvent(any))).toEqual(any);
    }),
  );
});

it('calls other bytes unreadable', () => {
  expect(() => decodeSchedulerEntry(Buffer.from('0aff', 'hex'))).toThrow(UNREADABLE);
  expect(() => decodeSchedulerEvent(Buffer.from('0aff', 'hex'))).toThrow(UNREADABLE);
});
