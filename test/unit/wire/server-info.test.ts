import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  decodeServerInfo,
  decodeWorkerInfo,
  encodeServerInfo,
  encodeWorkerInfo,
} from '../../../src/wire/server-info.ts';
import vectors from '../../vectors/messages.json' with { type: 'json' };

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const { server, worker, decoded } = vectors.server;
const [busy] = decoded.ActiveWorkers;

it('writes a server as Go does', () => {
  const bytes = encodeServerInfo({
    host: 'h',
    pid: 1,
    serverId: 's',
    concurrency: 2,
    queues: { q: 3 },
    strictPriority: true,
    status: 'active',
    startedAt: 100_000,
    activeWorkerCount: 7,
  });
  expect(hex(bytes)).toBe(
    '0a01681001 1a01732002 2a050a01711003 3001 3a06616374697665 42020864 4807'.replaceAll(' ', ''),
  );
});

it('reads the server that Go wrote', () => {
  expect(decodeServerInfo(Buffer.from(server, 'hex'))).toEqual({
    host: decoded.Host,
    pid: decoded.PID,
    serverId: decoded.ID,
    concurrency: decoded.Concurrency,
    queues: decoded.Queues,
    strictPriority: decoded.StrictPriority,
    status: decoded.Status,
    startedAt: Date.parse(decoded.Started),
    activeWorkerCount: 1,
  });
});

it('reads the worker that Go wrote', () => {
  expect(decodeWorkerInfo(Buffer.from(worker, 'hex'))).toEqual({
    host: decoded.Host,
    pid: decoded.PID,
    serverId: decoded.ID,
    taskId: busy?.TaskID,
    taskType: busy?.TaskType,
    taskPayload: Buffer.from('busy'),
    queue: busy?.Queue,
    startedAt: Date.parse(busy?.Started ?? ''),
    deadline: Date.parse(busy?.Deadline ?? ''),
  });
});

const time = fc.option(fc.integer({ min: -1e12, max: 1e13 }), { nil: undefined });
const count = fc.nat({ max: 2 ** 31 - 1 });
const text = fc.string({ unit: 'grapheme' });

it('brings servers back as they were, times to the millisecond', () => {
  const info = fc.record({
    host: text,
    pid: count,
    serverId: text,
    concurrency: count,
    queues: fc.dictionary(text, count, { noNullPrototype: true }),
    strictPriority: fc.boolean(),
    status: text,
    startedAt: time,
    activeWorkerCount: count,
  });
  fc.assert(
    fc.property(info, (any) => {
      expect(decodeServerInfo(encodeServerInfo(any))).toEqual(any);
    }),
  );
});

it('brings workers back as they were, a missing deadline too', () => {
  const info = fc.record({
    host: text,
    pid: count,
    serverId: text,
    taskId: text,
    taskType: text,
    taskPayload: fc.uint8Array(),
    queue: text,
    startedAt: time,
    deadline: time,
  });
  fc.assert(
    fc.property(info, (any) => {
      expect(decodeWorkerInfo(encodeWorkerInfo(any))).toEqual(any);
    }),
  );
});

it('calls bytes that are no server unreadable', () => {
  expect(() => decodeServerInfo(Buffer.from('0aff', 'hex'))).toThrow(
    expect.objectContaining({ code: 'ASYNQ_MESSAGE_UNREADABLE' }),
  );
});
